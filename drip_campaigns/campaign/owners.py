"""Pause campaigns whose owner may no longer run campaigns, until another user takes them over."""

from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.campaign.auto_pause import pause_campaign
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.db.single_writes import write_fields
from drip_campaigns.site.messages import add_note


def pause_abandoned(now: datetime, campaigns: Sequence[str] | None = None) -> list[str]:
	"""Pause the active campaigns, all or of `campaigns`, whose owner may not run campaigns; return their names.

	Takes two statements for any number of campaigns while every owner is allowed.
	"""
	filters = {"status": CampaignStatus.ACTIVE.value}
	if campaigns is not None:
		filters["name"] = ["in", list(campaigns)]
	active = frappe.get_all("Drip Campaign", filters=filters, fields=["name", "owner"])
	unfit = _find_unfit({row.owner: row.name for row in active})
	paused = [row for row in active if row.owner in unfit]
	for row in paused:
		pause_campaign(frappe.get_doc("Drip Campaign", row.name), unfit[row.owner], now)
	return [row.name for row in paused]


def explain_unfit_owner(campaign) -> str | None:
	"""Return why the owner of a Drip Campaign document may not run it, with what to do, or None."""
	return _find_unfit({campaign.owner: campaign.name}).get(campaign.owner)


def take_over(campaign) -> None:
	"""Make the session's user the owner of a Drip Campaign document: from now on it enrolls what they may read."""
	before = campaign.owner
	write_fields(campaign, {"owner": frappe.session.user})
	add_note(campaign, _("took the campaign over from {0}"), before)


def _find_unfit(campaign_of: dict[str, str]) -> dict[str, str]:
	"""Return those of the owners, each with one of their campaigns, who may not run campaigns, with the reason."""
	named = [owner for owner in campaign_of if owner != "Administrator"]
	rows = (
		frappe.get_all("User", filters={"name": ["in", named]}, fields=["name", "enabled"]) if named else []
	)
	enabled = {row.name: row.enabled for row in rows}
	unfit = {}
	for owner in named:
		if owner not in enabled:
			unfit[owner] = _("no longer exists")
		elif not enabled[owner]:
			unfit[owner] = _("is disabled")
		elif not _may_write(owner, campaign_of[owner]):
			unfit[owner] = _("may no longer run campaigns")
	remedy = _("Its owner {0} {1}. A Drip Manager can choose Take Over in the menu, and then Resume.")
	return {owner: remedy.format(owner, cause) for owner, cause in unfit.items()}


def _may_write(owner: str, campaign: str) -> bool:
	document = frappe.get_cached_doc("Drip Campaign", campaign)  # for rights that only owners have
	return frappe.has_permission("Drip Campaign", "write", doc=document, user=owner)
