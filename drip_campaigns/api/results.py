"""The results on a campaign's form, and target lists from activity. For signed-in users."""

import json

import frappe
from frappe import _

from drip_campaigns.api.errors import explained
from drip_campaigns.core.errors import DripError
from drip_campaigns.site.clock import utc_now
from drip_campaigns.stats import campaign_results, list_from_events

MOST_AT_ONCE = 500  # campaigns of one list


@frappe.whitelist(methods=["GET"])
def get_results(campaign: str) -> dict:
	"""Return how often a campaign's emails were sent, opened, clicked, replied to, bounced, and unsubscribed, by step and in total."""
	document = frappe.get_doc("Drip Campaign", campaign)
	document.check_permission("read")
	return campaign_results.describe(document)


@frappe.whitelist(methods=["POST"])
@explained
def get_summaries(campaigns: str) -> dict[str, dict[str, int]]:
	"""Return the results of the campaigns (a JSON list of names, at most 500) that the user can read.

	Uses POST because the names of a long list do not fit into a URL; changes nothing.
	"""
	names = [str(name) for name in _read(campaigns)]
	filters = {"name": ["in", names or [""]]}
	return campaign_results.summarize(
		frappe.get_list("Drip Campaign", filters=filters, pluck="name", limit=MOST_AT_ONCE)
	)


@frappe.whitelist(methods=["POST"])
@explained
def make_list_of_events(list_name: str, filters: str = "[]", names: str = "[]") -> dict:
	"""Create a target list of the people in events: the named ones, or else all that match the filters (JSON)."""
	frappe.has_permission("Drip Target List", "create", throw=True)
	frappe.has_permission("Drip Event", "read", throw=True)
	return list_from_events.make_list(list_name, _read(filters), _read(names), utc_now())


def _read(text: str) -> list:
	try:
		value = json.loads(text or "[]")
	except (ValueError, RecursionError) as error:
		raise DripError(_("The filters are invalid: {0}. Send a JSON list.").format(error)) from error
	if not isinstance(value, list):
		raise DripError(_("The filters are invalid. Send a JSON list."))
	return value
