"""Pause campaigns whose owner may no longer run campaigns or send in their senders' names, until another user takes over."""

from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.campaign.auto_pause import pause_campaign
from drip_campaigns.core.model import CampaignStatus, SenderRule
from drip_campaigns.db.single_writes import write_fields
from drip_campaigns.rendering.sender_rights import explain_forbidden, find_forbidden
from drip_campaigns.site.messages import add_note


def pause_abandoned(now: datetime, campaigns: Sequence[str] | None = None) -> list[str]:
	"""Pause the active campaigns, all or of `campaigns`, whose owner may not run them; return their names.

	Takes two statements for any number of campaigns while every owner is allowed; one more if some send in turn.
	"""
	filters = {"status": CampaignStatus.ACTIVE.value}
	if campaigns is not None:
		filters["name"] = ["in", list(campaigns)]
	fields = ["name", "owner", "sender", "sender_rule"]
	active = frappe.get_all("Drip Campaign", filters=filters, fields=fields)
	unfit = _find_unfit({row.owner: row.name for row in active})
	reasons = {row.name: unfit[row.owner] for row in active if row.owner in unfit}
	reasons = {**_find_forbidden_senders(active), **reasons}
	for name, reason in reasons.items():
		pause_campaign(frappe.get_doc("Drip Campaign", name), reason, now)
	return list(reasons)


def explain_unfit_owner(campaign) -> str | None:
	"""Return why the owner of a Drip Campaign document may not run it, with what to do, or None."""
	unfit = _find_unfit({campaign.owner: campaign.name}).get(campaign.owner)
	return unfit or explain_forbidden_sender(campaign, campaign.owner)


def list_senders(campaign) -> list[str]:
	"""Return the users that a Drip Campaign document names as its senders."""
	turns = campaign.senders if campaign.sender_rule == SenderRule.ROUND_ROBIN.value else []
	return [user for user in (campaign.sender, *(row.user for row in turns)) if user]


def explain_forbidden_sender(campaign, user: str) -> str | None:
	"""Return as whom, of the senders of a Drip Campaign document, `user` may not send, with what to do, or None."""
	senders = list_senders(campaign)
	forbidden = find_forbidden(user, senders)
	return next((explain_forbidden(user, sender) for sender in senders if sender in forbidden), None)


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


def _find_forbidden_senders(campaigns: Sequence[frappe._dict]) -> dict[str, str]:
	"""Return the campaigns with a sender in whose name their owner may not send, with the reason."""
	in_turn = [row.name for row in campaigns if row.sender_rule == SenderRule.ROUND_ROBIN.value]
	filters = {"parenttype": "Drip Campaign", "parent": ["in", in_turn]}
	turns = (
		frappe.get_all("Drip Campaign Sender", filters=filters, fields=["parent", "user"]) if in_turn else []
	)
	reasons = {}
	for row in campaigns:
		senders = [row.sender, *(turn.user for turn in turns if turn.parent == row.name)]
		if forbidden := find_forbidden(row.owner, senders):
			reasons[row.name] = explain_forbidden(row.owner, min(forbidden))
	return reasons


def _may_write(owner: str, campaign: str) -> bool:
	document = frappe.get_cached_doc("Drip Campaign", campaign)  # for rights that only owners have
	return frappe.has_permission("Drip Campaign", "write", doc=document, user=owner)
