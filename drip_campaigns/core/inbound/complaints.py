"""Read complaints: reports of spam in the form of RFC 5965, as RFC 6650 advises."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message

COMPLAINTS = frozenset({"abuse", "fraud", "virus", "other", "opt-out"})  # `not-spam` means the opposite


@dataclass(frozen=True)
class Complaint:
	"""A recipient marked one of our emails as spam; the report can hide their address."""

	kind: str
	address: str  # empty where the reporter redacted it
	reporter: str


def read_complaint(message: Message) -> Complaint | None:
	"""Return the complaint that a message reports, or None for any other message."""
	if str(message.get_param("report-type") or "").lower() != "feedback-report":
		return None
	for part in message.walk():
		if part.get_content_type() == "message/feedback-report":
			fields = part.get_payload(0) if part.is_multipart() else part
			kind = str(fields.get("feedback-type") or "").strip().lower()
			if kind in COMPLAINTS:
				return Complaint(kind, _address(fields), str(fields.get("user-agent") or "")[:100])
	return None


def _address(fields: Message) -> str:
	address = str(fields.get("original-rcpt-to") or "").strip().strip("<>").lower()
	return address if address.count("@") == 1 and "redacted" not in address else ""
