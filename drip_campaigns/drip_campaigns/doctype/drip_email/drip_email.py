"""Drip Email: one email of one step to one enrollment. Written by the dispatcher in batches, never by hand."""

import frappe
from frappe.model.document import Document


class DripEmail(Document):
	"""A record of what was done; its name is made of enrollment and step and cannot be inserted twice."""


def on_doctype_update() -> None:
	"""One email per enrollment and step, and the index the delivery job claims with."""
	frappe.db.add_unique("Drip Email", ["enrollment", "step"], constraint_name="unique_enrollment_step")
	frappe.db.add_index("Drip Email", ["status", "deliver_at"])
	frappe.db.add_index("Drip Email", ["campaign", "status"])
	frappe.db.add_index("Drip Email", ["address_hash", "queued_at"])
