"""Drip Mailbox: where the bounces and the answers of an Email Account's emails come to."""

from frappe.model.document import Document


class DripMailbox(Document):
	"""A row of Drip Settings."""
