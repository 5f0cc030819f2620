"""Drip Former Enrollment: the parts of a deleted enrollment that keep the links of its emails working."""

from frappe.model.document import Document


class DripFormerEnrollment(Document):
	"""Written under the enrollment's name when it is deleted; the daily job deletes it after 400 days."""
