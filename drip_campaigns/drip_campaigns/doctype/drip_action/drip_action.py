"""Drip Action: what one step does for one enrollment, other than sending an email. Written in batches; see `actions/`."""

import frappe
from frappe.model.document import Document

from drip_campaigns.plans.step_titles import find_step_title


class DripAction(Document):
	"""One action of one step for one enrollment; its name consists of both, so it exists only once."""

	@property
	def step_title(self) -> str:
		"""The step's title, for the form."""
		return find_step_title(self.step)


def on_doctype_update() -> None:
	"""Add the indexes with which the worker and a closed ToDo find actions."""
	frappe.db.add_index("Drip Action", ["status", "due_at"])
	frappe.db.add_index("Drip Action", ["campaign", "status", "due_at"])
	frappe.db.add_index("Drip Action", ["reference_name(100)"])
