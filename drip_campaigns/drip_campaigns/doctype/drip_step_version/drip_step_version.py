"""Drip Step Version: the text of a step as it was sent. Written by the dispatcher, once for each text, and never changed."""

from frappe.model.document import Document


class DripStepVersion(Document):
	"""A text that somebody was sent; its name is made of its content."""
