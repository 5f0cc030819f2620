"""Drip Step Variant: another text of a step, sent to a share of the people who reach it."""

from frappe.model.document import Document


class DripStepVariant(Document):
	"""One row of a campaign; its step is the one with the same label, whose own text is variant A."""
