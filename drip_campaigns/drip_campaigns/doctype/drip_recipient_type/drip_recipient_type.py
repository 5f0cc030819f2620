"""Drip Recipient Type: one more DocType whose records can be enrolled, a row of Drip Settings."""

from frappe.model.document import Document


class DripRecipientType(Document):
	"""Checked with Drip Settings (people/check_recipient_types.py)."""
