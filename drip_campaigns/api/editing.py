"""Edit a campaign: its steps in sentences, and the effect of a change on the people in it. For signed-in users."""

import frappe
from frappe import _

from drip_campaigns.api.errors import explained
from drip_campaigns.campaign import step_sentences
from drip_campaigns.campaign.check import find_save_problems
from drip_campaigns.campaign.preview_impact import count_live, preview_impact


@frappe.whitelist(methods=["POST"])
@explained
def preview_edit(document: str) -> dict:
	"""Return what saving an edited campaign, given as JSON, would change for the people in it. Writes nothing.

	`sentences` is empty when it changes nothing for anybody, or when the campaign cannot be saved: saving says why.
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


@frappe.whitelist(methods=["POST"])
@explained
def describe_steps(steps: str) -> dict:
	"""Return the steps of a campaign, a JSON list of rows with their names, in sentences. Writes nothing."""
	frappe.has_permission("Drip Campaign", "read", throw=True)
	rows = frappe.parse_json(steps)
	if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("name") for row in rows):
		frappe.throw(_("Send a JSON list of steps, each with its name."))
	return step_sentences.describe_steps(rows)
