"""Drip Event: one line of the campaign's log. Written in batches, never by hand."""

import frappe
from frappe.model.document import Document


class DripEvent(Document):
	"""Something that happened to an enrollment."""


def on_doctype_update() -> None:
	"""The index behind the log of a campaign."""
	frappe.db.add_index("Drip Event", ["campaign", "occurred_at"])
