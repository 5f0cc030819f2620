"""Emails of strangers: each is read without an error, and none changes what it does not prove."""

from datetime import datetime, timezone
from email import message_from_bytes

import frappe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.core.inbound.message_reference import LONGEST_READ
from drip_campaigns.core.inbound.read_message import Kind, read_message
from drip_campaigns.inbound.incoming import read_incoming
from tests import factories
from tests.fuzz.depth import examples
from tests.fuzz.hostile import texts
from tests.integration.test_feedback import THEIRS, clean_theirs, send_to

NOW = datetime(2026, 3, 4, 9, tzinfo=timezone.utc)
HEADERS = (
	*("From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Return-Path", "Reply-To", "Date"),
	*(
		"Auto-Submitted",
		"Precedence",
		"X-Failed-Recipients",
		"Content-Type",
		"Content-Transfer-Encoding",
		"List-Id",
	),
)
TYPES = (
	"text/plain",
	"text/html; charset=nonsense",
	'multipart/report; report-type=delivery-status; boundary="b"',
	'multipart/report; report-type=feedback-report; boundary="b"',
	'multipart/mixed; boundary="b"',
	"multipart/alternative; boundary=",
	"message/rfc822",
	"message/delivery-status",
)
ADA = f"ada@{THEIRS}"
values = st.one_of(
	texts,
	st.sampled_from(TYPES),
	st.sampled_from(
		(
			ADA,
			f"Ada <{ADA}>",
			"<>",
			"MAILER-DAEMON@x.example",
			"unsubscribe",
			"auto-replied",
			"bulk",
			"=?utf-8?b?!!!?=",
			"base64",
		)
	),
)
parts = st.lists(
	st.one_of(
		texts,
		st.sampled_from(
			(
				"--b",
				"--b--",
				"Content-Type: message/delivery-status",
				"Content-Type: message/feedback-report",
				"Content-Type: message/rfc822",
				f"Final-Recipient: rfc822; {ADA}",
				"Action: failed",
				"Status: 5.1.1",
				"Feedback-Type: abuse",
				f"Original-Rcpt-To: {ADA}",
				"Message-ID: <made-up@x.example>",
				"unsubscribe",
				"I am out of the office and will be back on 2099-01-01",
			)
		),
	),
	max_size=14,
)


@st.composite
def hostile_emails(draw) -> bytes:
	"""Draw an email of headers and lines that a receiver must expect, in any order and number."""
	headers = draw(st.lists(st.tuples(st.sampled_from(HEADERS), values), max_size=10))
	head = "".join(f"{name}: {value}\n" for name, value in headers)
	body = "".join(line + draw(st.sampled_from(("\n", "\n\n", ""))) for line in draw(parts))
	return f"{head}\n{body}".encode("utf-8", "surrogatepass")


any_email = st.one_of(hostile_emails(), st.binary(max_size=1000))


@given(any_email)
def test_rules_read_any_message(raw):
	message = message_from_bytes(raw[:LONGEST_READ])

	reading = read_message(message, NOW.date())

	assert (isinstance(reading.kind, Kind), reading.unread) == (True, "")


@pytest.fixture
def ada(site):
	"""Somebody who was sent an email, and whom every message of these tests may name."""
	clean_theirs()
	clock = factories.Clock(datetime.now(timezone.utc))
	enrollment = send_to(factories.make_active_campaign(clock), clock)
	yield enrollment
	clean_theirs()


@examples(40)
@given(any_email)
def test_message_that_proves_nothing_ends_nothing(ada, raw):
	frappe.db.savepoint("drip_fuzz")
	try:
		read_incoming(message_from_bytes(raw[:LONGEST_READ]), None, NOW)
		status = frappe.db.get_value("Drip Enrollment", ada.name, "status")
		suppressed = factories.count("Drip Suppression", email_address=ada.email_address)
	finally:
		frappe.db.rollback(save_point="drip_fuzz")

	assert status in ("In Progress", "Paused")  # Paused: it asks to unsubscribe, from the address alone
	assert suppressed == 0
