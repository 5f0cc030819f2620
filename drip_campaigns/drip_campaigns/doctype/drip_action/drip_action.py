"""Drip Action: what one step does to one enrollment beside email. Written in batches; see `actions/`."""

import frappe
from frappe.model.document import Document


class DripAction(Document):
	"""One action of one step for one enrollment; its name is made of both, so it cannot be there twice."""


def on_doctype_update() -> None:
	"""The indexes that the worker and a closed ToDo find actions with."""
	frappe.db.add_index("Drip Action", ["status", "due_at"])
	frappe.db.add_index("Drip Action", ["campaign", "status", "due_at"])
	frappe.db.add_index("Drip Action", ["reference_name(100)"])
