"""Review, release, decline, withdraw, and continue proposed changes of live campaigns. For signed-in users."""

import frappe
from frappe import _

from drip_campaigns.api.errors import explained
from drip_campaigns.campaign import proposals, review
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.messages import refuse


@frappe.whitelist(methods=["GET"])
@explained
def review_change(proposal: str) -> dict:
	"""Return a proposed change side by side with the campaign, and what it means for the people in it."""
	document = _get(proposal)
	frappe.get_doc("Drip Campaign", document.campaign).check_permission("read")
	return review.describe(document)


@frappe.whitelist(methods=["POST"])
@explained
def release_change(proposal: str, seen: str) -> dict:
	"""Make a proposed change live, as it was when the caller opened it (`seen`: its `modified`)."""
	proposals.release(_get(proposal, for_update=True), seen, utc_now())
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def decline_change(proposal: str, reason: str) -> dict:
	"""Decline a proposed change; its author is told the reason."""
	if not reason.strip():
		refuse(_("Enter a reason. The author of the change gets it."))
	proposals.decline(_get(proposal, for_update=True), reason.strip(), utc_now())
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def withdraw_change(proposal: str) -> dict:
	"""Withdraw a change that the caller proposed."""
	proposals.withdraw(_get(proposal, for_update=True), utc_now())
	return {}


@frappe.whitelist(methods=["GET"])
@explained
def open_change(proposal: str) -> dict:
	"""Return the campaign with the caller's proposed change in it, for the form to edit it further."""
	document = _get(proposal)
	campaign, conflicts = proposals.edit_further(document)
	campaign.check_permission("write")
	return {"document": campaign.as_dict(), "conflicts": conflicts}


def _get(name: str, *, for_update: bool = False):
	"""Return a proposed change that the caller may read: their own, or any for a Drip Manager."""
	document = frappe.get_doc(proposals.DOCTYPE, name, for_update=for_update)
	document.check_permission("read")
	return document
