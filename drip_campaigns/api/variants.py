"""Results of step variants, and the choice of the winner. For signed-in users."""

import frappe

from drip_campaigns.api.errors import explained
from drip_campaigns.campaign import winners
from drip_campaigns.campaign.rights import require_right_if_live
from drip_campaigns.site.clock import utc_now


@frappe.whitelist(methods=["GET"])
def get_variant_figures(campaign: str) -> list[dict]:
	"""Return, for each step with variants, what was sent of each, the rates with their intervals, and the decision."""
	document = frappe.get_doc("Drip Campaign", campaign)
	document.check_permission("read")
	return list(winners.list_figures(document))


@frappe.whitelist(methods=["POST"])
@explained
def choose_variant(campaign: str, step: str, variant: str = "") -> dict:
	"""Send one variant of a step to everyone else; without one, continue the test.

	In a live campaign this needs the right to activate.
	"""
	document = frappe.get_doc("Drip Campaign", campaign)
	require_right_if_live(document)
	winners.choose_by_hand(document, step, variant, utc_now())
	return {}
