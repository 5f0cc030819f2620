"""Drip Counter: how often something has happened in a campaign. Kept by `feedback/figures.py`, never by hand."""

from frappe.model.document import Document


class DripCounter(Document):
	"""One sum; the log may be cleared, and the sum stays."""
