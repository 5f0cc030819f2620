"""Drip Sending Block: an Email Account that sends slowly or not at all, because a mail server rejected its emails."""

from frappe.model.document import Document


class DripSendingBlock(Document):
	"""Written by `outbox/sending_blocks.py`. Deleting it resumes sending."""
