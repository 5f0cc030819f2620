"""What an incoming email is taken for: small forms of public reports, each with one trait that misleads."""

import email
import json
import subprocess
import sys
import time
from datetime import date
from email.message import Message

import pytest

from drip_campaigns.core.inbound.message_reference import LONGEST_READ
from drip_campaigns.core.inbound.read_message import Kind, read_message
from drip_campaigns.core.inbound.response_words import Category, Severity
from drip_campaigns.core.inbound.server_responses import classify_response

TODAY = date(2026, 11, 29)
SECONDS = 1  # of processor time, for any email
DAEMON = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\n"
ANSWER = "From: Jo <jo@corp.example>\nIn-Reply-To: <our@shop.example>\n"


def parse(headers: str, text: str) -> Message:
	"""Return an email with these header lines and this text."""
	return email.message_from_string(f"{headers.strip()}\nTo: bounces+tag@shop.example\n\n{text}")


def in_parts(headers: str, *parts: str) -> Message:
	"""Return an email of several parts, each with its header lines."""
	body = "".join(f"--b\n{part}\n" for part in parts)
	return parse(
		f'{headers.strip()}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"', f"{body}--b--\n"
	)


MESSAGES = [
	("Gmail's delay", Kind.DELAY, parse(DAEMON + "Subject: Delivery Status Notification (Delay)", "THIS IS A WARNING MESSAGE ONLY.\n\nDelivery to this recipient has been delayed:\n\n     ada@world.example\n\nMessage will be retried for 2 more days")),
	("OpenSMTPD's delay, a status part outside a report", Kind.DELAY, in_parts(DAEMON + "Subject: Delivery status notification: delayed", "Content-Type: text/plain\n\nada@world.example: Network error on destination MXs", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\nFinal-Recipient: rfc822; ada@world.example\nAction: delayed\nStatus: 4.4.7")),
	("Mimecast's failure", Kind.BOUNCE, parse("Return-Path: <>\nFrom: postmaster@corp.example\nSubject: [Postmaster] Email Delivery Failure", "An email that you attempted to send to the following address could not be delivered:\n-- ada@corp.example\n\nThe problem appears to be :\n-- Recipient email address is possibly incorrect")),
	("a failure with a status part in any multipart", Kind.BOUNCE, in_parts("From: it@corp.example\nSubject: Your mail", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\nFinal-Recipient: rfc822; ada@corp.example\nAction: failed\nStatus: 5.1.1")),
	("a bounce of a bounce", Kind.BOUNCE, parse(DAEMON + "Subject: Undelivered Mail Returned to Sender", "The following addresses had errors:\n<ada@corp.example>: 550 user unknown\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <>\nSubject: Undelivered Mail Returned to Sender\n\n<other@corp.example>: 550 user unknown")),
	("a relayed notice", Kind.RECEIPT, in_parts(DAEMON + "Subject: Delivery Status Notification (Relay)", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\nFinal-Recipient: rfc822; ada@corp.example\nAction: relayed\nStatus: 2.0.0")),
	("a receipt as text", Kind.RECEIPT, parse("Return-Path: <>\nFrom: Ada <ada@world.example>\nSubject: Read: Our offer", "Your message\n\nTo: Ada\nSubject: Our offer\n\nwas read on 29.11.2026 10:00")),
	("a receipt of RFC 8098", Kind.RECEIPT, in_parts("From: Ada <ada@world.example>\nSubject: Displayed", "Content-Type: message/disposition-notification\n\nDisposition: manual-action/MDN-sent-manually; displayed")),
	("a robot's payment advice", Kind.NOTHING, parse("From: Accounts <noreply@corp.example>\nSubject: Payment advice 4711", "We have paid your invoice. This message was sent by a machine.")),
	("an invitation", Kind.NOTHING, in_parts("From: Jo <jo@corp.example>\nSubject: Invitation: Call", "Content-Type: text/plain\n\nJoin us", "Content-Type: text/calendar\n\nBEGIN:VCALENDAR")),
	("a person behind a group", Kind.HUMAN, parse(ANSWER + "Subject: Re: Our offer\nPrecedence: list\nList-ID: <buying.corp.example>", "Yes, we are interested. Please call me on Monday.")),
	("a subject that begins with Ooo", Kind.HUMAN, parse(ANSWER + "Subject: Ooo, this looks great!", "Please call me today, I want to order.")),
	("an inquiry about office furniture", Kind.HUMAN, parse("From: jo@corp.example\nSubject: Out of office furniture offer", "Which desks do you have?")),
	("an answer about an undelivered parcel", Kind.HUMAN, parse(ANSWER + "Subject: Re: Undelivered parcel", "It could not be delivered, please send it to ada@corp.example again.")),
	("an absence of Notes", Kind.ABSENCE, parse(ANSWER + "Subject: Jo is out of the office\nAuto-Submitted: auto-replied", "I will be out of the office starting 11/30/2026 and will not return until 12/14/2026.")),
	("an absence without headers", Kind.ABSENCE, parse("From: jo@corp.example\nSubject: Abwesenheitsnotiz", "Ich bin bis 4. Dezember im Urlaub.")),
	("an absence with an empty return path", Kind.ABSENCE, parse("Return-Path: <>\nFrom: jo@corp.example\nAuto-Submitted: auto-replied\nSubject: Automatic reply: Offer", "I am on vacation. Mails will not be delivered to my colleagues.")),
	("a ticket", Kind.AUTO_REPLY, parse("From: help@corp.example\nAuto-Submitted: auto-generated\nSubject: Ticket 4711", "We have received your message.")),
	("Microsoft's feedback loop", Kind.COMPLAINT, in_parts("From: staff@hotmail.example\nSubject: complaint about message from 192.0.2.222", "Content-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: ada@world.example\nMessage-ID: <our@shop.example>\nSubject: Our offer\n\nHello")),
	("an opt-out", Kind.OPT_OUT, parse(ANSWER + "Subject: Re: Our offer", "Please remove me from your list.\n\nThanks\nJo")),
	("a machine that mentions the list", Kind.AUTO_REPLY, parse(ANSWER + "Subject: Re: Our offer\nAuto-Submitted: auto-replied", "Unsubscribe")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "message"), MESSAGES, ids=[one[0] for one in MESSAGES])
def test_a_message_is_taken_for_what_it_is(name, kind, message):
	assert read_message(message, TODAY).kind is kind


def test_a_bounce_names_its_recipient_the_reason_and_our_email():
	message = in_parts(
		DAEMON + "Subject: Undelivered",
		"Content-Type: text/plain\n\nIt failed.",
		"Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\nFinal-Recipient: rfc822; ada@corp.example\n"
		"Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n\n"
		"Final-Recipient: rfc822; bob@corp.example\nAction: failed\nStatus: 5.2.2",
		"Content-Type: message/rfc822\n\nMessage-ID: <our@shop.example>\nSubject: Offer\n\nHello",
	)

	reading = read_message(message, TODAY)

	found = {bounce.address: (bounce.severity, bounce.category) for bounce in reading.bounces}
	assert found == {
		"ada@corp.example": (Severity.HARD, Category.USER_UNKNOWN),
		"bob@corp.example": (Severity.SOFT, Category.MAILBOX_FULL),
	}
	assert reading.message_ids == ("our@shop.example",)


NOT_ABOUT_THE_RECIPIENT = [
	"550 The from address does not match a verified Sender Identity. Mail cannot be sent until this is resolved.",
	"451 Authentication failed: Maximum credits exceeded",
	"554 Message rejected: Sending suspended for this account.",
	"454 Throttling failure: Daily message quota exceeded.",
	"550 Sender verify failed",
	"550 Administrative prohibition",
	"553 Relaying disallowed as sales@shop.example",
	"550-Requested action not taken: mailbox unavailable 550 Sender address is not allowed.",
	"550 5.1.0 <sales@shop.example> sender rejected",
	"554 smtpin013.example ESMTP not accepting connections",
	"550-5.2.1 The user you are trying to contact is receiving mail at a rate that prevents delivery",
	"550 5.1.8 Access denied, bad outbound sender",
	"550 5.1.0 Sender not authorized",
	"550 5.7.1 Client host rejected: cannot find your reverse hostname",
	"554 Transaction failed",
	"552 Too many recipients",
	"554 Too many connections",
	"550 Message contains a virus",
	"550 Bad HELO - Host impersonating [192.0.2.1]",
	"550 Account shop.example is disabled",
	"552 message file too big",
	"554 Message not allowed - [299]",
	"550 5.1.1 Service unavailable",
	"550 5.2.1 Mailbox unavailable. Your IP address 192.0.2.1 is blacklisted",
	"550 5.1.1 rejected, SPF check failed",
	"The group you tried to contact may not exist, or you may not have permission to post",
]


@pytest.mark.parametrize("answer", NOT_ABOUT_THE_RECIPIENT)
def test_an_answer_about_the_sender_the_text_or_the_moment_is_never_hard(answer):
	assert classify_response("", answer).severity is not Severity.HARD


def many(header: str, text: str, times: int) -> str:
	"""Return an email whose header or text repeats."""
	return f"{header}\n\n{text * times}"


PLAIN = DAEMON + "Subject: Undelivered Mail Returned to Sender"
HOSTILE = {
	"25 MB": many(PLAIN, "user@example.com failed " * 45 + "\n", 24_000),
	"one line of 25 MB": many(PLAIN, "a" * 1000, 25_000),
	"500,000 newlines": many(PLAIN, "\n", 500_000),
	"500,000 carriage returns": many(PLAIN, "\r", 500_000),
	"500,000 at signs": many(PLAIN, "@", 500_000),
	"30,000 encoded words": f"Subject: {'=?utf-8?q?a?= ' * 30_000}\nFrom: a@b.example\n\nhello",
	"nested comments": f"From: {'(' * 50_000} a@b.example\nSubject: x\n\nhello",
	"2,000 parts": f'{PLAIN}\nContent-Type: multipart/mixed; boundary="b"\n\n' + "--b\n\nfailed a@b.example\n" * 2000,
	"20,000 status blocks": f'{PLAIN}\nContent-Type: multipart/report; boundary="b"\n\n--b\nContent-Type: message/delivery-status\n\n' + "Final-Recipient: rfc822; a@b.example\nAction: failed\n\n" * 20_000,
	"100,000 references": f"From: a@b.example\nReferences: {'<a@b.example> ' * 100_000}\n\nhello",
	"an unknown charset": 'From: a@b.example\nContent-Type: text/plain; charset="x-none"\n\nhello',
	"a wrong transfer encoding": f"{PLAIN}\nContent-Transfer-Encoding: base64\n\n{'!!!!' * 100_000}",
	"dates without end": many("From: a@b.example\nAuto-Submitted: auto-replied\nSubject: ooo", "12. bis ", 20_000),
	"a request without end": many("From: a@b.example\nSubject: Re: x", "please remove ", 50_000),
	"unclosed tags": many("From: a@b.example\nContent-Type: text/html", "<div ", 200_000),
}  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_any_email_is_read_in_bounded_time_and_never_raises(raw):
	began = time.process_time()

	reading = read_message(email.message_from_bytes(raw.encode("utf-8", "replace")[:LONGEST_READ]), TODAY)

	assert time.process_time() - began < SECONDS
	assert (isinstance(reading.kind, Kind), reading.unread) == (True, "")


def test_what_cannot_be_read_is_reported_as_unread():
	class Broken(Message):
		def walk(self, *_arguments):
			raise ValueError("broken")

		get = get_payload = is_multipart = walk

	reading = read_message(Broken(), TODAY)

	assert (reading.kind, reading.unread) == (Kind.NOTHING, "ValueError: broken")


def run(*arguments: str) -> tuple[list[dict], int]:
	"""Return what the command prints, and its exit status."""
	done = subprocess.run(
		[sys.executable, "-m", "drip_campaigns.core.inbound", *arguments],
		capture_output=True,
		text=True,
		check=False,
	)
	return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def test_the_command_prints_one_line_for_each_file(tmp_path):
	bounce, letter = tmp_path / "bounce.eml", tmp_path / "letter.txt"
	bounce.write_text(str(MESSAGES[2][2]))
	letter.write_text("Please take me off your list.")

	(first, second), status = run(str(bounce), str(tmp_path / "none.eml"), "--on", "2026-11-29")
	(answered,), _status = run("--answer", "550 5.1.1 User unknown")
	(said,), _status = run("--letter", str(letter), "--subject", "Re: Our offer")

	assert status == 2
	assert "Check the path" in second["error"]
	assert (first["kind"], first["message_ids"], first["back_on"]) == ("bounce", [], None)
	assert (first["recipients"][0]["address"], first["recipients"][0]["severity"]) == (
		"ada@corp.example",
		"hard",
	)
	assert answered["recipients"][0] == {
		"address": "",
		"severity": "hard",
		"category": "user unknown",
		"status": "5.1.1",
		"diagnostic": "550 5.1.1 User unknown",
	}
	assert said["kind"] == "opt_out"
