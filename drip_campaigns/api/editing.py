"""Edit a campaign: its steps in sentences, and the effect of a change on the people in it. For signed-in users."""

import frappe
from frappe import _

from drip_campaigns.api.errors import explained
from drip_campaigns.campaign import step_sentences
from drip_campaigns.campaign.check import find_save_problems
from drip_campaigns.campaign.preview_impact import count_live, preview_impact
from drip_campaigns.campaign.step_days import list_step_days
from drip_campaigns.site.messages import refuse


@frappe.whitelist(methods=["POST"])
@explained
def preview_edit(document: str) -> dict:
	"""Return what saving an edited campaign, given as JSON, would change for the people in it. Writes nothing.

	`sentences` is empty when it changes nothing for anybody, or when the campaign cannot be saved: saving says why.
	"""
	edited = _read_campaign(document)
	stored = frappe.get_doc("Drip Campaign", edited.name)
	stored.check_permission("write")
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
		refuse(_("Send a JSON list of steps, each with its name."))
	return step_sentences.describe_steps(rows)


@frappe.whitelist(methods=["POST"])
@explained
def preview_days(document: str) -> list[dict]:
	"""Return the day of each step of a campaign, given as JSON and perhaps not saved, as a text and in hours. Writes nothing."""
	campaign = _read_campaign(document)
	if frappe.db.exists("Drip Campaign", campaign.name):
		frappe.has_permission("Drip Campaign", "read", campaign.name, throw=True)
	else:
		frappe.has_permission("Drip Campaign", "create", throw=True)
	return list_step_days(campaign)


def _read_campaign(document: str):
	values = frappe.parse_json(document)
	if not isinstance(values, dict) or values.get("doctype") != "Drip Campaign" or not values.get("name"):
		refuse(_("Send a Drip Campaign as JSON, with its name."))
	return frappe.get_doc(values)
