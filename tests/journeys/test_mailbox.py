"""Everything that comes back to a mailbox, read by IMAP from a real mail server by Frappe's own Email Account."""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import frappe
import pytest

from tests import factories
from tests.factories import DOMAIN, EMAIL_ACCOUNT, SENDER, step
from tests.fakes import LOOPBACK, Received
from tests.imap import PASSWORD, ImapServer, why_not
from tests.integration.test_feedback import (
	THEIRS,
	clean_theirs,
	events_of,
	run_before_job,
	set_mailbox,
	suppression_of,
)

BOUNCES = f"bounces@{DOMAIN}"
BOUNCES_ACCOUNT = "Drip Test Bounces"
PEOPLE = ("ada", "bob", "cy", "dan", "eve", "fay", "gus", "hal")


@pytest.fixture(scope="module")
def imap() -> Iterator[ImapServer]:
	"""A mail server with mailboxes."""
	if problem := why_not():
		pytest.skip(problem)
	server = ImapServer()
	server.start()
	yield server
	server.stop()


@pytest.fixture
def accounts(imap, site) -> Iterator[list]:
	"""The sender's Email Account and one for bounces, both read by IMAP."""
	clean_theirs()
	sales = frappe.get_doc("Email Account", EMAIL_ACCOUNT)
	before = {"enable_incoming": 0, "use_imap": 0, "imap_folder": []}
	yield [let_read(sales, imap), let_read(make_bounces_account(), imap)]
	frappe.db.rollback()
	clean_theirs()
	frappe.db.delete("Unhandled Email", {"email_account": ("in", [EMAIL_ACCOUNT, BOUNCES_ACCOUNT])})
	frappe.db.delete("Error Log", {"method": ("like", "EmailAccount%")})
	frappe.delete_doc("Email Account", BOUNCES_ACCOUNT, force=True)
	sales.reload().update(before)
	sales.save()
	factories.forget_accounts()
	frappe.db.commit()


def make_bounces_account():
	"""Return an Email Account that sends nothing."""
	return frappe.get_doc(
		doctype="Email Account", email_account_name=BOUNCES_ACCOUNT, email_id=BOUNCES, enable_outgoing=0
	)


def let_read(account, imap: ImapServer):
	"""Let an Email Account read its mailbox on the server: saving it signs in there."""
	account.update(
		{
			"enable_incoming": 1,
			"use_imap": 1,
			"email_server": LOOPBACK,
			"incoming_port": imap.port,
			"use_ssl": 0,
			"email_sync_option": "UNSEEN",
			"imap_folder": [{"folder_name": "INBOX"}],
			"password": PASSWORD,
		}
	)
	account.save()
	factories.forget_accounts()
	frappe.db.commit()
	return account


def read_all(accounts) -> None:
	"""Let Frappe read the mailboxes, as its scheduler does."""
	run_before_job()
	for account in accounts:
		frappe.get_doc("Email Account", account.name).receive()


def letter(sent: Received, subject: str = "", text: str = "", **headers: str) -> EmailMessage:
	"""Return what a mail program makes when somebody answers an e-mail."""
	message = EmailMessage()
	message["From"] = sent.recipient
	message["To"] = sent.message["Reply-To"] or sent.message["From"]
	message["Subject"] = subject or f"Re: {sent.message['Subject']}"
	message["Message-ID"] = f"<{frappe.generate_hash(length=12)}@{THEIRS}>"
	message["In-Reply-To"] = sent.message["Message-ID"]
	for name, value in headers.items():
		message[name.replace("_", "-")] = value
	message.set_content(text or "-")
	return message


def report(sent: Received, kind: str, fields: str, to: str = "") -> bytes:
	"""Return what a mail server sends about an e-mail, to where the e-mail said: the return path."""
	return (
		f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.{THEIRS}\nTo: {to or sent.sender}\nSubject: Report\n"
		f"Message-ID: <{frappe.generate_hash(length=12)}@mx.{THEIRS}>\n"
		f'Content-Type: multipart/report; report-type={kind}; boundary="b"\n\n'
		f"--b\nContent-Type: text/plain\n\nA report.\n\n--b\nContent-Type: message/{kind}\n\n{fields}\n\n"
		f"--b\nContent-Type: message/rfc822\n\n{sent.message.as_string()}\n--b--\n"
	).encode("utf-8", "surrogateescape")


def failure(sent: Received, status: str) -> bytes:
	"""Return a delivery report (RFC 3464)."""
	return report(
		sent,
		"delivery-status",
		f"Reporting-MTA: dns; mx.{THEIRS}\n\n"
		f"Final-Recipient: rfc822; {sent.recipient}\nAction: failed\nStatus: {status}",
	)


def leaving_letter(sent: Received) -> tuple[str, EmailMessage]:
	"""Return where List-Unsubscribe says that an e-mail goes for leaving, and that e-mail."""
	mailto = next(
		part.strip(" <>\r\n\t")
		for part in str(sent.message["List-Unsubscribe"]).split(",")
		if "mailto:" in part
	)
	parts = urlsplit(mailto)
	message = letter(sent, unquote(parse_qs(parts.query)["subject"][0]))
	del message["In-Reply-To"], message["To"]
	message["To"] = parts.path
	return parts.path, message


def send_to_all(clock, smtp) -> tuple[dict, dict[str, Received]]:
	"""Send the first e-mail of a campaign to everybody; return the enrollments and the e-mails as they arrived."""
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	enrollments = {
		name: factories.enroll(campaign, factories.make_contact(name.title(), f"{name}@{THEIRS}"), clock)
		for name in PEOPLE
	}
	factories.run(clock)
	return enrollments, {name: smtp.to(f"{name}@{THEIRS}")[0] for name in PEOPLE}


def test_what_comes_back_to_the_mailboxes_is_read_and_has_its_effect(accounts, imap, smtp):
	clock = factories.Clock(datetime.now(timezone.utc))
	set_mailbox(return_path=BOUNCES, tags_replies=1)
	enrollments, sent = send_to_all(clock, smtp)
	back = (clock.now + timedelta(days=9)).date()
	forged = failure(sent["hal"], "5.1.1").replace(
		sent["hal"].message["Message-ID"].encode(), b"<x@y.example>"
	)

	imap.deliver(sent["ada"].sender, failure(sent["ada"], "5.1.1"))
	imap.deliver(
		BOUNCES, failure(sent["bob"], "4.2.2").replace(b"Content-Type: text/plain", b"X: \xff\xfe", 1)
	)
	imap.deliver(
		BOUNCES, report(sent["cy"], "feedback-report", "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1")
	)
	imap.deliver(SENDER, letter(sent["dan"], text="Please call me tomorrow.").as_bytes())
	away = letter(sent["eve"], "Away", f"I am out of the office and will be back on {back.isoformat()}.")
	away["Auto-Submitted"] = "auto-replied"
	imap.deliver(SENDER, away.as_bytes())
	where, leaving = leaving_letter(sent["fay"])
	imap.deliver(where, leaving.as_bytes())
	imap.deliver(SENDER, letter(sent["gus"], text="Unsubscribe").as_bytes())
	imap.deliver(BOUNCES, forged.replace(sent["hal"].sender.encode(), BOUNCES.encode()))
	for _twice in range(2):
		read_all(accounts)
	clock.advance(days=2)
	factories.run(clock)

	state = {name: (doc.reload().status, doc.exit_reason or None) for name, doc in enrollments.items()}
	assert state == {
		"ada": ("Exited", "Hard Bounce"),
		"bob": ("Completed", None),
		"cy": ("Exited", "Complaint"),
		"dan": ("Exited", "Reply"),
		"eve": ("Paused", None),
		"fay": ("Unsubscribed", None),
		"gus": ("Unsubscribed", None),
		"hal": ("Completed", None),
	}
	assert "+" in sent["ada"].sender  # each e-mail had a return path of its own
	assert suppression_of(f"ada@{THEIRS}") == ("Hard Bounce", 0)
	assert suppression_of(f"bob@{THEIRS}") is None
	assert [kind for kind, _text in events_of(enrollments["bob"], "Bounced")] == ["Bounced"]
	assert suppression_of(f"cy@{THEIRS}") == ("Complaint", 0)
	assert enrollments["eve"].paused_until.date() == back
	assert {name for name in PEOPLE if len(smtp.to(f"{name}@{THEIRS}")) > 1} == {"bob", "hal"}
	assert [imap.count_unread(mailbox) for mailbox in (SENDER, BOUNCES)] == [0, 0]


def test_message_that_nobody_can_read_keeps_the_others_from_nothing(accounts, imap, smtp):
	clock = factories.Clock(datetime.now(timezone.utc))
	enrollments, sent = send_to_all(clock, smtp)

	imap.deliver(SENDER, b"\x00\xff no mail at all")
	imap.deliver(SENDER, b"Content-Type: multipart/report; boundary=\n\n--\xe4\xff\n")
	imap.deliver(SENDER, failure(sent["ada"], "5.1.1"))
	with contextlib.suppress(Exception):  # Frappe puts aside what it cannot read, and says so at the end
		read_all(accounts)

	assert enrollments["ada"].reload().exit_reason == "Hard Bounce"
	assert enrollments["bob"].reload().status == "In Progress"
