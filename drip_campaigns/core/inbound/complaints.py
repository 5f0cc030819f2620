"""Reads complaints: reports of spam in the form of RFC 5965, and those of providers with a form of their own.

Microsoft's JMRP returns the email itself with a header that names the recipient. Others send opt-out reports.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message

from drip_campaigns.core.inbound.parts import decode_part, read_addresses, subject_of, walk

COMPLAINTS = frozenset(
	{"abuse", "fraud", "virus", "other", "opt-out", "opt-out-list", "miscategorized"}
)  # `not-spam` means the opposite
_OWN_FORM = re.compile(
	r"^(?:\[?fbl\]?\W|complaint about message from|(?:abuse|spam|feedback) (?:report|complaint|notification)|email feedback report|junk ?mail report|feedback-?report)",
	re.IGNORECASE,
)
_SENDERS = re.compile(
	r"^(?:staff|abuse|fbl|feedback|complaints?|jmrpp?|snds|postmaster|arf|scomp|feedbackloop|email-abuse)[\w.+-]*@",
	re.IGNORECASE,
)
# Microsoft's JMRP, AOL's and Comcast's loops name the recipient in the returned email's headers
_RECIPIENT_FIELDS = (
	"x-hmxmroriginalrecipient",
	"x-original-rcpt-to",
	"original-rcpt-to",
	"x-rcpt-to",
	"removal-recipient",
	"x-fbl-recipient",
)


@dataclass(frozen=True)
class Complaint:
	"""A recipient marked one of our emails as spam; the report can hide their address."""

	kind: str
	address: str  # empty where the reporter redacted it
	reporter: str


def read_complaint(message: Message) -> Complaint | None:
	"""Return the complaint that a message reports, or None for any other message."""
	is_report = str(message.get_param("report-type") or "").lower() == "feedback-report"
	for part in walk(message):
		if part.get_content_type() == "message/feedback-report":
			return _read_feedback(part)
	return None if is_report else _read_own_form(message)


def _read_feedback(part: Message) -> Complaint | None:
	fields = part.get_payload(0) if part.is_multipart() else part
	kind = _field(fields, "feedback-type")
	if not kind:  # a part that a server encoded: its fields are text
		kind = next(
			iter(re.findall(r"^feedback-type:\s*([\w-]+)", decode_part(part), re.I | re.M)), ""
		).lower()
	if kind not in COMPLAINTS:
		return None
	address = _address(_field(fields, "original-rcpt-to") or _field(fields, "removal-recipient"))
	return Complaint(kind, address, str(fields.get("user-agent") or "")[:100])


def _read_own_form(message: Message) -> Complaint | None:
	sender = next((address for _name, address in read_addresses([message.get("from") or ""])), "")
	returned = next((part for part in walk(message) if part is not message and _names_recipient(part)), None)
	is_subject, is_sender = _OWN_FORM.search(subject_of(message)), _SENDERS.match(sender)
	encloses = any(part.get_content_type() == "message/rfc822" for part in walk(message))
	if not (is_subject and (is_sender or returned) and (returned or encloses)):
		return None
	address = next(
		(_address(_field(returned, name)) for name in _RECIPIENT_FIELDS if returned and returned.get(name)),
		"",
	)
	return Complaint("abuse", address, sender[:100])


def _names_recipient(part: Message) -> bool:
	return any(part.get(name) for name in _RECIPIENT_FIELDS)


def _field(fields: Message, name: str) -> str:
	return str(fields.get(name) or "").strip().lower()


def _address(text: str) -> str:
	address = text.partition(";")[2] or text
	address = address.strip().strip("<>")
	return address if address.count("@") == 1 and "redacted" not in address else ""
