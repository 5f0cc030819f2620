"""Bounces, complaints and answers, as they come in through Frappe's own receipt of mail (`InboundMail`)."""

from datetime import datetime, timedelta, timezone
from email.message import EmailMessage

import frappe
import pytest
from frappe.email.receive import InboundMail

from drip_campaigns.api import desk
from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.inbound.message_reference import find_tag
from drip_campaigns.dispatch.doctor import examine
from drip_campaigns.enrollment.personal_data import erase
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.rendering.links import Links
from drip_campaigns.site.clock import site_date
from tests import factories
from tests.factories import DOMAIN, EMAIL_ACCOUNT, SENDER, step

THEIRS = "customers.example.org"  # not the domain that we write from: there everybody is a colleague


@pytest.fixture
def clock():
	"""A clock at the present time: what comes in is taken to come in now."""
	return factories.Clock(datetime.now(timezone.utc))


pytestmark = [pytest.mark.campaign(step(0), step(2)), pytest.mark.usefixtures("no_strangers")]


@pytest.fixture
def no_strangers(site):
	clean_theirs()
	yield
	clean_theirs()


def clean_theirs() -> None:
	"""Delete what came in from strangers, and their Contacts."""
	frappe.db.rollback()
	like = ("like", f"%{THEIRS}%")
	for name in frappe.get_all("Communication", filters={"sender": like}, pluck="name"):
		frappe.db.delete("Communication Link", {"parent": name})
		frappe.db.delete("Communication", name)
	frappe.db.delete("Email Unsubscribe", {"email": like})
	for name in frappe.get_all("Contact Email", filters={"email_id": like}, pluck="parent"):
		frappe.db.delete("Contact Email", {"parent": name})
		frappe.db.delete("Contact", name)
	frappe.db.commit()


def set_mailbox(**fields) -> None:
	"""Let Drip Settings have one mailbox."""
	settings = frappe.get_doc("Drip Settings")
	settings.append("mailboxes", fields)
	settings.save()
	frappe.db.commit()


def send_to(campaign, clock, name: str = "ada"):
	"""Enroll a Contact of a customer, send the first email, and return the enrollment."""
	contact = factories.make_contact(name.title(), f"{name}@{THEIRS}")
	enrollment = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	return enrollment


def mail_of(enrollment):
	"""Return the enrollment's Drip Email."""
	return frappe.get_last_doc("Drip Email", {"enrollment": enrollment.name})


def receive(raw: bytes):
	"""Let Frappe receive a message as in a job, and return its Communication."""
	run_before_job()
	communication = InboundMail(raw, frappe.get_doc("Email Account", EMAIL_ACCOUNT)).process()
	frappe.db.commit()
	return communication


def run_before_job() -> None:
	"""Run what the app lets Frappe run before each job."""
	for function in frappe.get_hooks("before_job"):
		if function.startswith("drip_campaigns."):
			frappe.call(function, method="pull", kwargs={}, transaction_type="job")


def bounce(*blocks: tuple[str, str, str], to: str = SENDER, original: str = "", extra: bytes = b"") -> bytes:
	"""Return a delivery report; a block is address, action, status."""
	lines = "\n\n".join(
		f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}"
		for address, action, status in blocks
	)
	return (
		f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.{THEIRS}\nTo: {to}\nSubject: Undelivered\n"
		f"Message-ID: <{frappe.generate_hash(length=12)}@mx.{THEIRS}>\n"
		'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
		"--b\nContent-Type: text/plain; charset=x-nonsense\n\nIt failed \xe4.\n\n"
		f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.{THEIRS}\n\n{lines}\n\n"
		f"--b\nContent-Type: message/rfc822\n\nMessage-ID: <{original}>\nSubject: Day 0\n\nHello\n"
	).encode("latin-1") + (extra or b"\n--b--\n")  # fmt: skip


def answer(mail, text: str, sender: str = "", **headers: str) -> bytes:
	"""Return an answer to an email of ours."""
	message = EmailMessage()
	message["From"], message["To"], message["Subject"] = sender or mail.email_address, SENDER, "Re: Day 0"
	message["Message-ID"] = f"<{frappe.generate_hash(length=12)}@{THEIRS}>"
	message["In-Reply-To"] = f"<{mail.message_id}>"
	for name, value in headers.items():
		del message[name.replace("_", "-")]
		if value:
			message[name.replace("_", "-")] = value
	message.set_content(text)
	return message.as_bytes()


def events_of(enrollment, *kinds: str) -> list[tuple[str, str]]:
	"""Return what the log says of an enrollment, of these kinds."""
	filters = {"enrollment": enrollment.name, "event_type": ("in", kinds)}
	rows = frappe.get_all("Drip Event", filters=filters, fields=["event_type", "detail"], order_by="creation")
	return [(row.event_type, row.detail or "") for row in rows]


def suppression_of(address: str):
	"""Return reason and lifted of an address, or None."""
	return frappe.db.get_value("Drip Suppression", {"email_address": address}, ["reason", "lifted"])


def test_hard_bounce_suppresses_the_address_and_ends_all_its_campaigns(campaign, clock):
	ada = send_to(campaign, clock)
	other = factories.make_active_campaign(clock, step(1))
	elsewhere = factories.enroll(other, frappe.get_doc("Contact", ada.recipient), clock)
	mail = mail_of(ada)

	for _ in range(2):
		received = receive(bounce((ada.email_address, "failed", "5.1.1"), original=mail.message_id))
	clock.advance(days=3)
	factories.run(clock)

	assert suppression_of(ada.email_address) == ("Hard Bounce", 0)
	assert {(row.reload().status, row.exit_reason) for row in (ada, elsewhere)} == {("Exited", "Hard Bounce")}
	assert mail.reload().bounce == "Hard"
	assert frappe.db.get_value("Communication", mail.communication, "delivery_status") == "Bounced"
	assert [kind for kind, _text in events_of(ada, "Bounced")] == ["Bounced"]
	assert frappe.db.get_value("Communication", received.name, "reference_name") == ada.name
	assert frappe.db.exists(
		"Communication Link",
		{"parent": received.name, "link_doctype": "Contact", "link_name": ada.recipient},
	)


def test_bounce_is_known_by_the_return_path_of_its_own(campaign, clock, smtp):
	set_mailbox(return_path=f"bounces@{DOMAIN}")
	ada = send_to(campaign, clock)
	[sent] = smtp.messages

	receive(bounce(("forwarded@elsewhere.example", "failed", "5.1.1"), to=sent.sender.upper()))

	assert sent.sender.startswith("bounces+") and find_tag(sent.sender).startswith(mail_of(ada).name)
	assert len(sent.sender.partition("@")[0]) <= 64
	assert suppression_of(ada.email_address) == ("Hard Bounce", 0)


def test_forged_bounce_does_nothing(campaign, clock, smtp):
	set_mailbox(return_path=f"bounces@{DOMAIN}")
	ada = send_to(campaign, clock)
	name = mail_of(ada).name

	for to in (
		f"bounces+{name}@{DOMAIN}",
		f"bounces+{name}.{'a' * 16}@{DOMAIN}",
		f"bounces+{'x' * 50}@{DOMAIN}",
	):
		receive(bounce((ada.email_address, "failed", "5.1.1"), to=to, original=f"made-up@{DOMAIN}"))
	receive(bounce(("never@written.example", "failed", "5.1.1")))

	assert (ada.reload().status, suppression_of(ada.email_address)) == ("In Progress", None)
	assert factories.count("Drip Suppression") == 0
	assert events_of(ada, "Bounced") == []


def test_report_about_ten_people_touches_only_the_one_we_wrote_to(campaign, clock):
	ada, bob = send_to(campaign, clock), send_to(campaign, clock, "bob")
	others = [(f"other{n}@{THEIRS}", "failed", "5.1.1") for n in range(8)]
	blocks = [(ada.email_address, "failed", "5.1.1"), (bob.email_address, "failed", "5.1.1"), *others]

	receive(bounce(*blocks, original=mail_of(ada).message_id))
	receive(bounce(*others, original=mail_of(bob).message_id))

	assert suppression_of(ada.email_address) == ("Hard Bounce", 0)
	assert factories.count("Drip Suppression") == 1
	assert bob.reload().status == "In Progress"


def test_delay_and_delivery_are_no_bounces(campaign, clock):
	ada = send_to(campaign, clock)

	for action, status in (("delayed", "4.4.1"), ("delivered", "2.0.0"), ("relayed", "2.0.0")):
		receive(bounce((ada.email_address, action, status), original=mail_of(ada).message_id))

	assert (ada.reload().status, mail_of(ada).bounce or "") == ("In Progress", "")
	assert events_of(ada, "Bounced", "Replied") == []


def test_message_of_twenty_megabytes_is_read(campaign, clock):
	ada = send_to(campaign, clock)
	attached = b"\n--b\nContent-Type: application/zip; name=a.zip\nContent-Disposition: attachment; filename=a.zip\n\n"
	huge = b"x" * 75 + b"\n"

	raw = bounce((ada.email_address, "failed", "5.1.1"), original=mail_of(ada).message_id, extra=attached)
	receive(raw + huge * (20_000_000 // len(huge)))

	assert suppression_of(ada.email_address) == ("Hard Bounce", 0)


def test_soft_bounces_in_a_row_over_days_become_a_hard_one(site, clock):
	clean_theirs()
	clock.advance(days=-20)
	campaign = factories.make_active_campaign(clock, step(0), step(4), step(8), step(12))
	ada = send_to(campaign, clock)
	seen = []

	for _ in range(3):
		mail = frappe.get_last_doc("Drip Email", {"enrollment": ada.name}, order_by="sent_at desc")
		receive(bounce((ada.email_address, "failed", "5.2.2"), original=mail.message_id))
		seen.append((mail.reload().bounce, suppression_of(ada.email_address)))
		clock.advance(days=4)
		factories.run(clock)

	assert seen == [("Soft", None), ("Soft", None), ("Soft", ("Hard Bounce", 0))]
	assert ada.reload().exit_reason == "Hard Bounce"
	clean_theirs()


def test_soft_bounce_hides_no_hard_one_and_a_hard_one_counts_after_a_soft(campaign, clock):
	ada, bob = send_to(campaign, clock), send_to(campaign, clock, "bob")

	for status in ("5.2.2", "5.1.1"):
		receive(bounce((ada.email_address, "failed", status), original=mail_of(ada).message_id))
	for status in ("5.1.1", "5.2.2"):
		receive(bounce((bob.email_address, "failed", status), original=mail_of(bob).message_id))

	assert [mail_of(person).bounce for person in (ada, bob)] == ["Hard", "Hard"]
	assert len(events_of(ada, "Bounced")) == 2 and len(events_of(bob, "Bounced")) == 1


def complaint(mail, recipient: str, kind: str = "abuse", message_id: str = "") -> bytes:
	"""Return a report of RFC 5965 about an email."""
	return (
		f"From: fbl@feedback.{THEIRS}\nTo: {SENDER}\nSubject: FW: Day 0\nMessage-ID: <{frappe.generate_hash(length=9)}@{THEIRS}>\n"
		'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
		"--b\nContent-Type: text/plain\n\nThis is a complaint.\n\n"
		f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: {kind}\nUser-Agent: Yahoo!/1.0\nVersion: 1\n"
		f"Original-Rcpt-To: {recipient}\n\n"
		f"--b\nContent-Type: message/rfc822\n\nFrom: {SENDER}\nMessage-ID: <{message_id or mail.message_id}>\n\nHi\n--b--\n"
	).encode()


def test_complaint_suppresses_also_when_the_address_is_held_back(campaign, clock):
	ada, bob = send_to(campaign, clock), send_to(campaign, clock, "bob")

	for _ in range(2):
		receive(complaint(mail_of(ada), "redacted"))
	receive(complaint(mail_of(bob), bob.email_address, kind="not-spam"))
	receive(complaint(mail_of(bob), bob.email_address, message_id=f"made-up@{DOMAIN}"))
	receive(complaint(mail_of(bob), f"somebody-else@{THEIRS}"))

	assert suppression_of(ada.email_address) == ("Complaint", 0)
	assert (ada.reload().exit_reason, bob.reload().status) == ("Complaint", "In Progress")
	assert len(events_of(ada, "Complained")) == 1
	assert factories.count("Drip Suppression") == 1


def test_answer_ends_the_enrollment_and_stands_on_the_records(campaign, clock):
	ada = send_to(campaign, clock)

	received = receive(answer(mail_of(ada), "Yes, please call me."))
	clock.advance(days=3)
	factories.run(clock)

	assert (ada.reload().status, ada.exit_reason) == ("Exited", "Reply")
	assert events_of(ada, "Replied") == [("Replied", "Re: Day 0")]
	received.reload()
	assert (received.reference_doctype, received.reference_name) == ("Drip Enrollment", ada.name)
	assert ("Contact", ada.recipient) in {
		(row.link_doctype, row.link_name) for row in received.timeline_links
	}
	assert factories.count("Drip Email", enrollment=ada.name) == 1
	assert suppression_of(ada.email_address) is None


def test_campaign_that_goes_on_after_a_reply_notes_it_and_goes_on(site, clock):
	clean_theirs()
	campaign = factories.make_active_campaign(clock, step(0), step(2), continue_after_reply=1)
	ada = send_to(campaign, clock)

	receive(answer(mail_of(ada), "Thank you"))
	clock.advance(days=2)
	factories.run(clock)

	assert factories.count("Drip Email", enrollment=ada.name, status="Sent") == 2
	assert len(events_of(ada, "Replied")) == 1
	clean_theirs()


@pytest.mark.parametrize(
	"headers",
	[
		{"In_Reply_To": "", "References": "<x@y.example> {id}"},
		{"sender": f"ada.private@else.{THEIRS}"},
	],
	ids=["references", "another address"],
)
def test_answer_is_known_by_references_from_any_address(campaign, clock, headers):
	ada = send_to(campaign, clock)
	mail = mail_of(ada)
	filled = {name: value.replace("{id}", f"<{mail.message_id}>") for name, value in headers.items()}

	receive(answer(mail, "Sounds good", **filled))

	assert (ada.reload().status, ada.exit_reason) == ("Exited", "Reply")


def test_answer_is_known_by_the_plus_address(campaign, clock, smtp):
	set_mailbox(tags_replies=1)
	ada = send_to(campaign, clock)
	to = smtp.messages[0].message["Reply-To"]

	receive(answer(mail_of(ada), "Hello", sender=f"x@{THEIRS}", In_Reply_To="", To=to))

	assert to.startswith(SENDER.partition("@")[0] + "+")
	assert ada.reload().exit_reason == "Reply"


def test_own_copies_and_colleagues_and_strangers_are_no_answers(campaign, clock):
	ada = send_to(campaign, clock)
	colleague = factories.make_user("colleague", "Drip User")
	mail = mail_of(ada)

	for sender in (SENDER, colleague, f"alias@{DOMAIN}"):
		receive(answer(mail, "Just following up", sender=sender, To=ada.email_address))
	receive(answer(mail, "Hello", sender=f"stranger@{THEIRS}", In_Reply_To=""))

	assert ada.reload().status == "In Progress"
	assert events_of(ada, "Replied") == []


def test_absence_holds_until_the_day_of_return_and_never_unsubscribes(campaign, clock):
	ada = send_to(campaign, clock)
	back = (clock.now + timedelta(days=10)).date()
	text = f"I am out of the office and will be back on {back.isoformat()}. Unsubscribe: click here."

	receive(answer(mail_of(ada), text, Auto_Submitted="auto-replied"))
	held = (ada.reload().status, ada.paused_until.date())
	clock.advance(days=4)
	factories.run(clock)
	meanwhile = factories.count("Drip Email", enrollment=ada.name)
	clock.advance(days=6, hours=1)
	factories.run(clock)
	clock.advance(days=2)
	factories.run(clock)

	assert held == ("Paused", back)
	assert meanwhile == 1
	assert factories.count("Drip Email", enrollment=ada.name, status="Sent") == 2
	assert events_of(ada, "Replied", "Unsubscribed", "Exited") == []


def test_absence_without_a_day_waits_for_the_days_of_the_settings(campaign, clock):
	ada = send_to(campaign, clock)

	receive(answer(mail_of(ada), "I am on vacation.", Auto_Submitted="auto-replied"))

	assert ada.reload().status == "Paused"
	assert ada.paused_until.date() == site_date(clock.now) + timedelta(days=7)
	[(_kind, text)] = events_of(ada, "Paused")
	assert "without a day of return" in text


def test_letter_that_may_ask_to_leave_waits_for_the_owner_who_unsubscribes_or_resumes_with_one_click(
	campaign, clock
):
	ada, bob = send_to(campaign, clock), send_to(campaign, clock, "bob")
	owner = factories.make_user("owner", "Drip User")
	frappe.db.set_value("Drip Campaign", campaign.name, "owner", owner)
	for person in (ada, bob):
		receive(answer(mail_of(person), "Something about your mailing list, I am not sure."))
	waiting = [ada.reload().status, bob.reload().status]
	told = [text for text in factories.notifications_of(owner) if "may have asked" in text]

	desk.unsubscribe_enrollment(ada.name)
	desk.resume_enrollment(bob.name)

	assert waiting == ["Paused", "Paused"]
	assert len(told) == 2
	assert [ada.reload().status, bob.reload().status] == ["Unsubscribed", "In Progress"]
	assert events_of(ada, "Exited") == events_of(bob, "Exited") == []


def test_report_about_someone_else_and_of_another_campaign_changes_nothing(campaign, clock):
	ada = send_to(campaign, clock)
	stranger = f"never-written-to@{THEIRS}"
	blocks = [(stranger, "failed", "5.1.1"), (f"second@{THEIRS}", "failed", "5.1.1")]

	receive(bounce(*blocks, original=mail_of(ada).message_id))  # names others
	receive(
		bounce((ada.email_address, "failed", "5.1.1"), original=f"forged@{DOMAIN}")
	)  # names no email of ours

	assert ada.reload().status == "In Progress"
	assert factories.count("Drip Suppression") == 0


def test_message_id_of_another_campaign_concerns_only_its_own_recipient(campaign, clock):
	ada = send_to(campaign, clock)
	other = factories.make_active_campaign(clock, step(0), step(2))
	bob = send_to(other, clock, "bob")

	receive(
		bounce(
			(ada.email_address, "failed", "5.1.1"),
			(f"x@{THEIRS}", "failed", "5.1.1"),
			original=mail_of(bob).message_id,
		)
	)

	assert [ada.reload().status, bob.reload().status] == ["In Progress", "In Progress"]
	assert factories.count("Drip Suppression") == 0


def test_two_reports_in_one_email_are_read_for_the_email_that_it_names(campaign, clock):
	ada = send_to(campaign, clock)
	blocks = [(f"other@{THEIRS}", "delayed", "4.4.1"), (ada.email_address, "failed", "5.1.1")]

	receive(bounce(*blocks, original=mail_of(ada).message_id))
	receive(bounce(*blocks, original=mail_of(ada).message_id))

	assert suppression_of(ada.email_address) == ("Hard Bounce", 0)
	assert len(events_of(ada, "Bounced")) == 1


def test_report_about_an_erased_person_changes_nothing_and_brings_no_address_back(campaign, clock):
	ada = send_to(campaign, clock)
	mail, address = mail_of(ada), ada.email_address
	erase(address, clock.now, source="test")
	frappe.db.commit()

	receive(bounce((address, "failed", "5.1.1"), original=mail.message_id))

	assert suppression_of(address) is None
	assert not frappe.db.exists("Drip Event", {"email_address": address})


def test_absence_without_a_day_and_a_machine_change_nothing_if_the_settings_say_so(campaign, clock):
	frappe.db.set_single_value("Drip Settings", "days_when_away", 0)
	ada = send_to(campaign, clock)

	receive(answer(mail_of(ada), "I am on vacation.", Auto_Submitted="auto-replied"))
	receive(answer(mail_of(ada), "Ticket opened", Auto_Submitted="auto-generated"))

	assert ada.reload().status == "In Progress"
	assert [text for _kind, text in events_of(ada, "Feedback")] == [
		"Out-of-office reply",
		"Automatic reply",
	]


def test_answer_that_only_says_unsubscribe_leaves(campaign, clock):
	ada = send_to(campaign, clock)

	receive(answer(mail_of(ada), "Bitte abmelden, danke"))

	assert ada.reload().status == "Unsubscribed"
	assert frappe.db.exists(
		"Email Unsubscribe", {"email": ada.email_address, "reference_name": campaign.name}
	)


def test_bounce_that_frappe_puts_aside_is_read(campaign, clock):
	ada = send_to(campaign, clock)
	raw = bounce((ada.email_address, "failed", "5.1.1"), original=mail_of(ada).message_id)

	frappe.get_doc(doctype="Unhandled Email", raw=raw.decode("latin-1"), email_account=EMAIL_ACCOUNT).insert()

	assert suppression_of(ada.email_address) == ("Hard Bounce", 0)


@pytest.mark.parametrize(
	("subject", "status"), [("unsubscribe {0}", "Unsubscribed"), ("Re: Day 0", "Exited")]
)
def test_wish_to_leave_or_answer_that_frappe_puts_aside_is_heard(campaign, clock, subject, status):
	ada = send_to(campaign, clock)
	token = Links().unsubscribe(ada.name).rpartition("/")[2]
	raw = answer(mail_of(ada), "Please call me", Subject=subject.format(token))

	frappe.get_doc(doctype="Unhandled Email", raw=raw.decode("latin-1"), email_account=EMAIL_ACCOUNT).insert()

	assert ada.reload().status == status


def test_answer_that_frappe_puts_aside_after_it_was_received_is_one_answer(campaign, clock):
	ada = send_to(campaign, clock)
	raw = answer(mail_of(ada), "Please call me")

	receive(raw)
	frappe.get_doc(doctype="Unhandled Email", raw=raw.decode("latin-1"), email_account=EMAIL_ACCOUNT).insert()

	assert [kind for kind, _text in events_of(ada, "Replied")] == ["Replied"]


def test_error_of_ours_stops_no_receipt(campaign, clock, monkeypatch):
	from drip_campaigns.inbound import incoming

	ada = send_to(campaign, clock)
	errors = factories.count("Error Log")
	monkeypatch.setattr(incoming, "read_reference", lambda message: 1 / 0)

	received = receive(answer(mail_of(ada), "Hello"))

	assert frappe.db.exists("Communication", received.name)
	assert factories.count("Error Log") == errors + 1


def make_communication(ada, **fields):
	"""Return a Communication that says that it is Ada's answer."""
	return frappe.get_doc(
		doctype="Communication",
		communication_medium="Email",
		sent_or_received="Received",
		sender=ada.email_address,
		recipients=SENDER,
		subject="Re: Day 0",
		content="<p>Unsubscribe</p>",
		in_reply_to=mail_of(ada).communication,
		**fields,
	)


def test_communication_of_a_receiver_that_kept_no_text_counts_as_an_answer(campaign, clock):
	ada = send_to(campaign, clock)
	received = make_communication(ada)
	received.flags.in_receive = True

	received.insert()

	assert ada.reload().status == "Unsubscribed"


@pytest.mark.parametrize(
	("reply", "status", "kind", "suppressed"),
	[
		("550 5.1.1 no such user", "Exited", "Hard", ("Hard Bounce", 0)),
		("552 5.2.2 mailbox full", "In Progress", "Soft", None),
		("554 5.7.1 not from you", "In Progress", "Sender", None),
	],
)
def test_refusal_while_sending_says_what_it_says_about_the_address(
	campaign, clock, smtp, reply, status, kind, suppressed
):
	smtp.answer(f"ada@{THEIRS}", reply)
	ada = send_to(campaign, clock)

	mail = mail_of(ada)
	assert (ada.reload().status, mail.status, mail.bounce) == (status, "Failed", kind)
	assert suppression_of(ada.email_address) == suppressed
	assert len(events_of(ada, "Bounced")) == 1


def test_refusal_for_the_senders_set_up_holds_the_account_until_somebody_looks(campaign, clock, smtp):
	smtp.answer(f"ada@{THEIRS}", "550 5.7.26 unauthenticated")
	send_to(campaign, clock)
	bob = send_to(campaign, clock, "bob")

	held, waiting = frappe.db.get_value("Drip Sending Block", EMAIL_ACCOUNT, "state"), mail_of(bob).status
	problems = " ".join(finding.text for finding in examine(clock.now) if finding.is_problem)
	frappe.delete_doc("Drip Sending Block", EMAIL_ACCOUNT)
	frappe.db.commit()
	clock.advance(minutes=20)
	factories.run(clock)

	assert (held, waiting) == ("Blocked", "Queued")
	assert f"{EMAIL_ACCOUNT} is blocked: 550 5.7.26 unauthenticated" in problems
	assert len(smtp.to(bob.email_address)) == 1


@pytest.mark.parametrize(
	("answer", "third"),
	[
		("550 5.7.1 Rejected for policy reasons", "Blocked"),
		("550 5.7.1 This group only accepts messages from members", None),  # says nothing about the account
	],
)
def test_policy_refusals_block_the_account_with_the_third_unless_each_is_one_recipients(
	campaign, clock, smtp, answer, third
):
	frappe.cache.delete_value(f"drip_campaigns:policy:{EMAIL_ACCOUNT}")
	states = []

	for name in ("ada", "bob", "cy"):
		smtp.answer(f"{name}@{THEIRS}", answer)
		send_to(campaign, clock, name)
		states.append(frappe.db.get_value("Drip Sending Block", EMAIL_ACCOUNT, "state"))

	assert states == [None, None, third]


def test_deferral_for_policy_slows_the_account_down_for_an_hour(campaign, clock, smtp):
	smtp.answer(f"ada@{THEIRS}", "421 4.7.0 too fast")
	send_to(campaign, clock)
	people = [factories.make_contact(address=f"p{n}@{THEIRS}") for n in range(12)]
	for person in people:
		factories.enroll(campaign, person, clock)

	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	factories.run(clock)
	state, slowly = frappe.db.get_value("Drip Sending Block", EMAIL_ACCOUNT, "state"), len(smtp.messages)
	for _ in range(8):
		clock.advance(minutes=10)
		factories.run(clock)

	assert state == "Slowed"
	assert slowly == 5  # sixty an hour, spread evenly
	assert {message.recipient for message in smtp.messages} >= {f"p{n}@{THEIRS}" for n in range(12)}


def test_campaign_that_is_paused_still_hears_bounces(campaign, clock):
	ada = send_to(campaign, clock)
	lifecycle.pause(campaign, clock.now)
	frappe.db.commit()

	receive(bounce((ada.email_address, "failed", "5.1.1"), original=mail_of(ada).message_id))

	assert ada.reload().exit_reason == "Hard Bounce"
