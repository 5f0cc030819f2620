"""Drip Target List Source: one row of what fills a target list (lists/sources.py)."""

from frappe.model.document import Document


class DripTargetListSource(Document):
	"""One row of what fills a target list (lists/sources.py)."""
