"""Drip Proposed Change: an edit of a live campaign by a user who may not activate it, until it is decided."""

from frappe.model.document import Document


class DripProposedChange(Document):
	"""Written by campaign/proposals.py only."""
