"""Drip Trigger Firing: one event that a trigger waited for, written in the transaction in which it happened."""

import frappe
from frappe.model.document import Document


class DripTriggerFiring(Document):
	"""Its name is made of trigger, record and occurrence: firing twice is firing once (triggers/firings.py)."""


def on_doctype_update() -> None:
	"""The indexes behind finding what is due, and behind a trigger's history."""
	frappe.db.add_index("Drip Trigger Firing", ["status", "due_at"])
	frappe.db.add_index("Drip Trigger Firing", ["campaign_trigger", "record(100)"])
