"""Drip Target List Source: one source of a target list's members."""

from frappe.model.document import Document


class DripTargetListSource(Document):
	"""Used by lists/sources.py."""
