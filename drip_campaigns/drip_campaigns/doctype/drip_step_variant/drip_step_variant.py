"""Drip Step Variant: another text of a step, sent to a share of those who reach it."""

from frappe.model.document import Document


class DripStepVariant(Document):
	"""A row of a campaign; its step is the one with its label, whose own text is variant A."""
