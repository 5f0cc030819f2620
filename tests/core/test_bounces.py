"""Bounces: over a hundred real ones of the source distribution of flufl.bounce, and the examples of the standards."""

import ast
import email
import tarfile
from email.message import Message
from pathlib import Path

import pytest

from drip_campaigns.core.inbound.bounces import read_bounces
from drip_campaigns.core.inbound.complaints import read_complaint
from drip_campaigns.core.inbound.message_reference import add_tag, find_tag, read_reference
from drip_campaigns.core.inbound.origin import read_origin
from drip_campaigns.core.inbound.response_words import Severity
from drip_campaigns.core.inbound.server_responses import classify_response

SAMPLES = Path(__file__).resolve().parents[2] / ".dev" / "cache" / "bounces"
RIGHT_AT_LEAST = 0.97
# flufl.bounce knows only "temporary" (still being tried) and "permanent" (given up). These were given up, but what they
# say is no evidence that the address does not exist.
NOT_HARD = {
	Severity.SOFT: {
		"the mailbox is full": (
			"dsn_01 dsn_04 hotpop_01 newmailru_01 postfix_04 qmail_02 qmail_06 qmail_07 simple_01 simple_07 simple_09"
			" simple_14 simple_38 simple_45 yahoo_02 yahoo_04"
		),
		"it took too long, or no connection or route was found": "bounce_03 dsn_02 simple_32 simple_44 smtp32_01 smtp32_02 yahoo_01",
		"the message was too large": "dsn_03",
		"the server could not look the host up, and asks to try again": "postfix_02",
		"a program or a loop on the server failed": "postfix_03 postfix_05 sendmail_01 simple_18",
		"a list or a recipient does not accept mail from this sender": "aol_01 microsoft_03",
		"no reason is given, or none that is understood": (
			"caiwireless_01 llnl_01 netscape_01 qmail_01 simple_02 simple_10 simple_16 simple_17 simple_20 simple_24"
			" simple_31 sina_01 smtp32_03 smtp32_05 yahoo_12"
		),
	},
	Severity.SENDER: {"taken for spam": "simple_42", "the server does not relay for us": "dsn_09"},
}


def load_samples() -> dict[str, tuple[Message, set[str]]]:
	"""Return each sample with the addresses that the library's own tests expect to have failed for good."""
	archive = next(SAMPLES.glob("*.tar.gz"), None)
	if archive is None:
		pytest.skip("`make site` fetches the samples")
	with tarfile.open(archive) as content:
		files = {
			Path(entry.name).name: content.extractfile(entry).read() for entry in content if entry.isfile()
		}
	table = next(
		ast.literal_eval(node.value)
		for node in ast.parse(files["test_detectors.py"]).body
		if isinstance(node, ast.Assign) and node.targets[0].id == "DETECTORS"
	)
	samples = {}
	for _detector, name, addresses, is_temporary in table:
		message, expected = samples.setdefault(name, (email.message_from_bytes(files[name]), set()))
		expected.update(address.decode().lower() for address in addresses if not is_temporary)
	return samples


def expected_severity(name: str) -> Severity:
	"""Return what a sample says about the address."""
	stem = name.removesuffix(".txt")
	said = (severity for severity, reasons in NOT_HARD.items() if stem in " ".join(reasons.values()).split())
	return next(said, Severity.HARD)


def test_real_bounces_give_the_right_address_and_kind():
	samples, wrong = load_samples(), {}

	for name, (message, addresses) in samples.items():
		found = read_bounces(message)
		if {b.address for b in found} != addresses or {b.severity for b in found} - {expected_severity(name)}:
			wrong[name] = found

	assert len(samples) > 100
	assert len(samples) - len(wrong) >= RIGHT_AT_LEAST * len(samples), wrong
	# The library's table expects no address of these two: the sample's editor shortened it with dots, or it is a list's.
	assert set(wrong) == {"simple_42.txt", "simple_43.txt"}


def report(
	*recipients: str, text: str = "It failed.", original: str = "Message-ID: <abc@example.com>"
) -> Message:
	"""Return a delivery report of RFC 3464 with these blocks, one a recipient."""
	blocks = "\n\n".join(recipients)
	return email.message_from_string(
		"From: MAILER-DAEMON@mx.example.org\nTo: bounces@example.com\nMessage-ID: <own@mx.example.org>\n"
		'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
		f"--b\nContent-Type: text/plain\n\n{text}\n\n--b\nContent-Type: message/delivery-status\n\n"
		f"Reporting-MTA: dns; mx.example.org\n\n{blocks}\n\n"
		f"--b\nContent-Type: text/rfc822-headers\n\n{original}\nSubject: Hello\n\n--b--\n"
	)


def block(address: str, action: str, status: str, diagnostic: str = "") -> str:
	"""Return one recipient's block of a report."""
	more = f"\nDiagnostic-Code: smtp; {diagnostic}" if diagnostic else ""
	return f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}{more}"


def test_report_with_ten_recipients_gives_the_ones_that_failed():
	# RFC 3464, appendix E.2: delayed, failed, delivered, relayed and expanded in one report
	message = report(
		block("arathib@vnet.ibm.com", "failed", "5.0.0 (permanent failure)", "550 'arathib@vnet.IBM.COM' is not a registered gateway user"),
		block("johnh@hpnjld.njd.hp.com", "delayed", "4.0.0 (hpnjld.njd.jp.com: host name lookup failure)"),
		block("wsnell@sdcc13.ucsd.edu", "failed", "5.0.0", "550 user unknown"),
		*(block(f"person{n}@example.org", action, "2.0.0") for n, action in enumerate(("delivered", "relayed", "expanded"))),
		*(block(f"full{n}@example.org", "failed", "5.2.2", "552 mailbox full") for n in range(4)),
	)  # fmt: skip

	found = {bounce.address: bounce.severity for bounce in read_bounces(message)}

	assert found == {
		"arathib@vnet.ibm.com": Severity.HARD,
		"wsnell@sdcc13.ucsd.edu": Severity.HARD,
		**{f"full{n}@example.org": Severity.SOFT for n in range(4)},
	}


def test_delay_and_delivery_are_no_bounces_whatever_the_text_says():
	delayed = report(block("ada@example.org", "delayed", "4.4.1"), text="<ada@example.org>: user unknown")
	delivered = report(block("ada@example.org", "delivered", "2.1.5"))

	assert (read_bounces(delayed), read_bounces(delivered)) == ([], [])


@pytest.mark.parametrize(
	("status", "text", "kind", "code"),
	[
		("5.1.1", "", Severity.HARD, "5.1.1"),
		("5.1.2", "", Severity.HARD, "5.1.2"),
		("5.1.10", "recipient domain has a null MX", Severity.HARD, "5.1.10"),
		("5.2.1", "mailbox disabled", Severity.HARD, "5.2.1"),
		("5.4.4", "unable to route", Severity.SOFT, "5.4.4"),  # says nothing about the domain for good
		("5.4.4", "Host or domain name not found", Severity.HARD, "5.4.4"),
		("5.1.1", "Service unavailable", Severity.SOFT, "5.1.1"),  # the words contradict the code
		("5.1.1", "rejected: listed at zen.spamhaus.org", Severity.SENDER, "5.1.1"),
		("", "550 Requested action not taken: mailbox unavailable. Sender address is not allowed.", Severity.SENDER, ""),
		("", "552 5.1.1 Recipient overquota", Severity.SOFT, "5.1.1"),
		("", "554 Transaction failed", Severity.SOFT, ""),
		("", "550 5.7.30 Basic authentication is not supported", Severity.SENDER, "5.7.30"),
		("", "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown", Severity.HARD, "5.1.1"),
		("", "550 5.5.0 Requested action not taken: mailbox unavailable", Severity.HARD, "5.5.0"),
		("", "550 5.4.1 Recipient address rejected: Access denied", Severity.HARD, "5.4.1"),
		("", "550 No such user here", Severity.HARD, ""),
		("5.0.0", "smtp; 552 5.2.2 over quota", Severity.SOFT, "5.2.2"),
		("5.2.2", "", Severity.SOFT, "5.2.2"),
		("5.3.4", "message too big", Severity.SOFT, "5.3.4"),
		("4.2.2", "user unknown", Severity.SOFT, "4.2.2"),
		("", "450 4.2.1 try later", Severity.SOFT, "4.2.1"),
		("", "421 busy", Severity.SOFT, ""),
		("5.4.6", "routing loop", Severity.SOFT, "5.4.6"),
		("5.7.1", "rejected as spam", Severity.SENDER, "5.7.1"),
		("5.7.26", "DMARC", Severity.SENDER, "5.7.26"),
		("5.1.8", "bad sender", Severity.SENDER, "5.1.8"),
		("", "554 blocked, see our policy", Severity.SENDER, ""),
		("5.7.1", "user unknown", Severity.HARD, "5.7.1"),
		("", "550 rejected by 5.6.7.8", Severity.SENDER, ""),  # an address of the network is no code
	],
)  # fmt: skip
def test_codes_and_words_say_what_a_refusal_means(status, text, kind, code):
	verdict = classify_response(status, text)

	assert (verdict.severity, verdict.code) == (kind, code)


@pytest.mark.parametrize(
	("code", "text", "by_one"),
	[
		("5.7.1", "Message rejected as spam", False),
		("5.7.1", "Service unavailable; client host blocked using a block list", False),
		("5.7.1", "This group only accepts messages from its members", True),
		("5.7.1", "You are not allowed to send to this recipient", True),
		("5.7.1", "The recipient has blocked you", True),
		("5.7.0", "Sender blocked by the user", True),
		("5.7.124", "", True),
		("5.7.17", "mailbox owner has changed", True),
		("5.7.26", "the recipient only accepts signed mail", False),
		("5.7.511", "banned sender", False),
		("5.1.8", "bad sender", False),
	],
)
def test_refusal_for_policy_by_one_recipient_is_told_from_one_of_the_sender(code, text, by_one):
	assert (classify_response(code, text).severity is not Severity.SENDER) is by_one


def test_code_about_the_sender_is_told_from_one_about_the_recipient():
	codes = ("4.7.0", "5.7.26", "5.1.8", "5.1.1", "4.2.1", "")

	about_sender = [code for code in codes if classify_response(code, "").severity is Severity.SENDER]

	assert about_sender == ["4.7.0", "5.7.26", "5.1.8"]


@pytest.mark.parametrize(
	"raw",
	[
		b"",
		b"\x00\xff" * 500,
		b"Content-Type: multipart/report; report-type=delivery-status\n\nno boundary",
		b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n\n--b--",
		b"Content-Type: text/plain; charset=x-nonsense\n\nuser unknown \xe4\xf6\xfc",
		b"From: ada@example.org\nSubject: Re: Hi\n\nThank you!",
	],
)
def test_message_that_is_no_bounce_gives_none(raw):
	message = email.message_from_bytes(raw)

	assert read_bounces(message) == []
	assert read_complaint(message) is None
	assert read_reference(message).returned_ids == ()


def test_origin_is_what_is_returned_and_not_the_report_itself():
	origin = read_reference(
		report(block("a@example.org", "failed", "5.1.1"), text="Message-Id: <old@example.com>")
	)

	assert set(origin.returned_ids) == {"abc@example.com", "old@example.com"}
	assert origin.addressed_to == ("bounces@example.com",)


def test_machines_are_told_from_people_by_who_sends():
	people = email.message_from_string("From: Ada <ada@example.org>\n\nuser unknown")
	daemon = email.message_from_string("From: Mail Delivery <MAILER-DAEMON@example.org>\n\nx")
	nobody = email.message_from_string("Return-Path: <>\nFrom: x@example.org\n\nx")

	assert [read_origin(message).is_machine for message in (people, daemon, nobody)] == [False, True, True]


def test_tag_of_an_address_is_found_again_whatever_its_case():
	address = add_tag("bounces@example.com", "abc-def.123")

	assert address == "bounces+abc-def.123@example.com"
	assert find_tag(address.upper()) == "abc-def.123"
	assert find_tag("bounces@example.com") == ""
	assert add_tag("a" * 60 + "@example.com", "12345") == "a" * 60 + "@example.com"


FEEDBACK = """\
From: <abusedesk@example.com>
To: <abuse@example.net>
Subject: FW: Earn money
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1"

--part1
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--part1
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <bounces+tag@example.net>
Original-Rcpt-To: {recipient}

--part1
Content-Type: message/rfc822

From: <somespammer@example.net>
Message-ID: <8787KJKJ3K4J3K4J3K4J3.mail@example.net>
Subject: Earn money

Spam Spam Spam

--part1--
"""


def test_complaint_of_the_standard_is_read_with_what_it_is_about():
	# RFC 5965, appendix B.2
	message = email.message_from_string(FEEDBACK.format(kind="abuse", recipient="<user@example.com>"))

	complaint, origin = read_complaint(message), read_reference(message)

	assert (complaint.kind, complaint.address, complaint.reporter) == (
		"abuse",
		"user@example.com",
		"SomeGenerator/1.0",
	)
	assert origin.returned_ids == ("8787KJKJ3K4J3K4J3K4J3.mail@example.net",)
	assert origin.return_paths == ("bounces+tag@example.net",)


def test_redacted_complaint_is_one_and_the_opposite_is_none():
	redacted = email.message_from_string(FEEDBACK.format(kind="Abuse", recipient="<redacted@example.com>"))
	praise = email.message_from_string(FEEDBACK.format(kind="not-spam", recipient="<user@example.com>"))

	assert read_complaint(redacted).address == ""
	assert read_complaint(praise) is None
