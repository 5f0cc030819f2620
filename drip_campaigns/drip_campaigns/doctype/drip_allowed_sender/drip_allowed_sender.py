"""Drip Allowed Sender: one row of Drip Settings, a user or an Email Account in whose name Drip Users may send."""

from frappe.model.document import Document


class DripAllowedSender(Document):
	"""Used by rendering/sender_rights.py."""
