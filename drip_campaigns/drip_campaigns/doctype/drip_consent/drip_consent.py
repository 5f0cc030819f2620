"""Drip Consent: what a recipient agreed to, when, and in which words. Written only by the recipients' pages."""

from frappe.model.document import Document


class DripConsent(Document):
	"""One consent. A withdrawn consent is kept as proof, with the time of the withdrawal."""
