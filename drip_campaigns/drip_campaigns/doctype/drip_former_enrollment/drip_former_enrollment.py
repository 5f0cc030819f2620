"""Drip Former Enrollment: what is remembered of a deleted enrollment, so that the links of its emails still work."""

from frappe.model.document import Document


class DripFormerEnrollment(Document):
	"""Written when an enrollment is deleted, under its name; forgotten by the daily job after 400 days."""
