"""Drip Consent: what somebody agreed to, when, and in which words. Written by the pages of the recipients, never by hand."""

from frappe.model.document import Document


class DripConsent(Document):
	"""One consent; when it is taken back it gets the time of that, and stays as proof of what was."""
