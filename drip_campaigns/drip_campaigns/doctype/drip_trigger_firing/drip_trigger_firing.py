"""Drip Trigger Firing: one event that fired a trigger, written in the transaction of the event."""

import frappe
from frappe.model.document import Document


class DripTriggerFiring(Document):
	"""Its name consists of trigger, record, and occurrence, so each event fires a trigger only once."""


def on_doctype_update() -> None:
	"""Add the indexes for due firings and for the history of a trigger."""
	frappe.db.add_index("Drip Trigger Firing", ["status", "due_at"])
	frappe.db.add_index("Drip Trigger Firing", ["campaign_trigger", "record(100)"])
