"""Clean what a stranger wrote in an email that is linked with an enrollment. Frappe's save leaves some scripts in it."""

from typing import Any

from drip_campaigns.db.field_values import clean_values

FIELDS = ("subject", "content", "sender_full_name")


def find_changes(communication) -> dict[str, Any]:
	"""Return the fields of a Communication that may not be stored as they are, with what may be stored."""
	texts = {field: communication.get(field) for field in FIELDS}
	return {
		field: text for field, text in clean_values("Communication", texts).items() if text != texts[field]
	}


def clean_linked(communication, _event: str | None = None) -> None:
	"""Clean a received Communication before it is saved: Frappe stores the text of an email again after it linked it (hook)."""
	is_ours = communication.reference_doctype == "Drip Enrollment"
	if is_ours and communication.sent_or_received == "Received":
		communication.update(find_changes(communication))
