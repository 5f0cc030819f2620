"""Rename a choice of Drip Campaign Step: as a default, Frappe reads "User" as who is signed in, and no new step could be saved."""

import frappe


def execute() -> None:
	"""Write "Named User" where "User" stands."""
	frappe.db.set_value(
		"Drip Campaign Step", {"assign_to": "User"}, "assign_to", "Named User", update_modified=False
	)
