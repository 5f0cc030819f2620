"""Drip Target List Refresh: one time that a list's sources are asked, in the background, and how far it got."""

import frappe
from frappe.model.document import Document


class DripTargetListRefresh(Document):
	"""Made and changed by `lists/refresh.py` only."""


def on_doctype_update() -> None:
	"""The index behind finding what is under way."""
	frappe.db.add_index("Drip Target List Refresh", ["status"])
