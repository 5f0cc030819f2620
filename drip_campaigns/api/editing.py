"""Editing a campaign that is under way: what it would do to those on board. For signed-in users."""

import frappe
from frappe import _

from drip_campaigns.api.errors import explained
from drip_campaigns.campaign.check import find_save_problems
from drip_campaigns.campaign.preview_impact import count_live, preview_impact


@frappe.whitelist(methods=["POST"])
@explained
def preview_edit(document: str) -> dict:
	"""Return what saving an edited campaign, given as JSON, would do to those on board. Writes nothing.

	`sentences` is empty when nobody is concerned, or when it cannot be saved: saving says why.
	"""
	values = frappe.parse_json(document)
	if not isinstance(values, dict) or values.get("doctype") != "Drip Campaign" or not values.get("name"):
		frappe.throw(_("Give a Drip Campaign as JSON, with its name."))
	stored = frappe.get_doc("Drip Campaign", values["name"])
	stored.check_permission("write")
	edited = frappe.get_doc(values)
	on_board = count_live(stored.name)
	if any(find_save_problems(edited)):
		return {"on_board": on_board, "sentences": []}
	return {"on_board": on_board, "sentences": preview_impact(stored, edited)[1]}
