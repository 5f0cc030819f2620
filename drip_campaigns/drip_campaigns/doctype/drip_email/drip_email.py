"""Drip Email: the email of one step to one enrollment. Written only by the dispatch, in batches."""

import frappe
from frappe.model.document import Document

from drip_campaigns.plans.step_titles import find_step_title


class DripEmail(Document):
	"""The record of one email; its name consists of enrollment and step, so it exists only once."""

	@property
	def step_title(self) -> str:
		"""The step's title, for the form."""
		return find_step_title(self.step)


def on_doctype_update() -> None:
	"""Add the index that allows one email per enrollment and step, and the one for claiming due emails."""
	frappe.db.add_unique("Drip Email", ["enrollment", "step"], constraint_name="unique_enrollment_step")
	frappe.db.add_index("Drip Email", ["status", "deliver_at"])
	frappe.db.add_index("Drip Email", ["campaign", "status"])
	frappe.db.add_index("Drip Email", ["address_hash", "queued_at"])
