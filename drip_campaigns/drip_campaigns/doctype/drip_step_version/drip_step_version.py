"""Drip Step Version: the text of a step as it was sent. Written by the dispatch once for each text, and never changed."""

from frappe.model.document import Document


class DripStepVersion(Document):
	"""A text that was sent; its name is a hash of its content."""
