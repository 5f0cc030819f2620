"""Drip Target List Refresh: one background refresh of a list from its sources, and its progress."""

import frappe
from frappe.model.document import Document


class DripTargetListRefresh(Document):
	"""Created and changed only by `jobs/refresh_lists.py`."""


def on_doctype_update() -> None:
	"""Add the index for finding running refreshes."""
	frappe.db.add_index("Drip Target List Refresh", ["status"])
