"""The raw text of incoming messages. Frappe makes a Communication of each message and discards the rest.

The headers and the parts of a delivery report are then gone. Frappe offers no hook here, and the class of Email Account
cannot be overridden: Frappe uses one override per DocType, and other apps (Helpdesk) have theirs.
"""

from typing import Any

from frappe.email.receive import InboundMail

from drip_campaigns.core.inbound.message_reference import LONGEST_READ

RAW = "drip_raw_message"


class RawMessage(bytes):
	"""The raw text of a message. A request can only send text under the name RAW, never one of these."""


def keep_raw_messages() -> None:
	"""Make Frappe pass the raw text of each incoming message to its Communication while this process runs. Idempotent.

	Frappe calls this before each job and each request (`before_job`, `before_request`).
	"""
	original = InboundMail.as_dict
	if getattr(original, "keeps_raw", False):
		return

	def as_dict(self: InboundMail) -> dict[str, Any]:
		raw = self.raw_message
		raw = raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else raw
		return {**original(self), RAW: RawMessage(raw[:LONGEST_READ])}

	as_dict.keeps_raw = True
	InboundMail.as_dict = as_dict


def pop_raw_message(communication) -> bytes | None:
	"""Remove and return the raw text, at most LONGEST_READ bytes, from a new Communication; None if it did not arrive by email."""
	raw = communication.__dict__.pop(RAW, None)
	return raw if isinstance(raw, RawMessage) else None
