"""Edit a campaign: its steps in sentences, and the effect of a change on the people in it. For signed-in users."""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe
from frappe import _

from drip_campaigns.api.errors import explained
from drip_campaigns.campaign import step_sentences
from drip_campaigns.campaign.check import find_save_problems
from drip_campaigns.campaign.preview_impact import count_live, preview_impact
from drip_campaigns.campaign.step_days import list_step_days
from drip_campaigns.core.errors import DripError
from drip_campaigns.site.messages import refuse


@frappe.whitelist(methods=["POST"])
@explained
def preview_edit(document: str) -> dict:
	"""Return what saving an edited campaign, given as JSON, would change for the people in it. Writes nothing.

	`sentences` is empty when it changes nothing for anybody, or when the campaign cannot be saved: saving says why.
	"""
	frappe.has_permission("Drip Campaign", "read", throw=True)
	with _refusing_impossible_values():
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
	with _refusing_impossible_values():
		rows = frappe.parse_json(steps)
		if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("name") for row in rows):
			refuse(_("Send a JSON list of steps, each with its name."))
		return step_sentences.describe_steps(rows)


@frappe.whitelist(methods=["POST"])
@explained
def preview_days(document: str) -> list[dict]:
	"""Return the day of each step of a campaign, given as JSON and perhaps not saved, as a text and in hours. Writes nothing."""
	frappe.has_permission("Drip Campaign", "read", throw=True)
	with _refusing_impossible_values():
		campaign = _read_campaign(document)
		if frappe.db.exists("Drip Campaign", campaign.name):
			frappe.has_permission("Drip Campaign", "read", campaign.name, throw=True)
		else:
			frappe.has_permission("Drip Campaign", "create", throw=True)
		return list_step_days(campaign)


@contextmanager
def _refusing_impossible_values() -> Iterator[None]:
	"""Answer values that no form sends, such as a text for a number or a million nested lists, in words."""
	try:
		yield
	except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
		if isinstance(error, frappe.ValidationError):
			raise
		raise DripError(
			_("The campaign cannot be read: {0}. Send it as the form does.").format(error)
		) from error


def _read_campaign(document: str):
	values = frappe.parse_json(document)
	is_campaign = isinstance(values, dict) and values.get("doctype") == "Drip Campaign"
	if not is_campaign or not isinstance(values.get("name"), str) or not values["name"]:
		refuse(_("Send a Drip Campaign as JSON, with its name."))
	return frappe.get_doc(values)
