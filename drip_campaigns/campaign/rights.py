"""Who may activate a campaign, and so change what a live one does: users who may write level 1 of Drip Campaign."""

import frappe
from frappe import _

from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.site.messages import refuse

LIVE = (CampaignStatus.ACTIVE.value, CampaignStatus.PAUSED.value)


def may_activate(campaign) -> bool:
	"""Return whether the session's user may write the status of a Drip Campaign document."""
	return campaign.meta.get_field("status").permlevel in campaign.get_permlevel_access("write")


def needs_release(campaign) -> bool:
	"""Return whether edits of a stored Drip Campaign document by the session's user wait for a release."""
	return campaign.status in LIVE and not may_activate(campaign)


def require_release_right(campaign) -> None:
	"""Raise PermissionError unless the session's user may write and activate a Drip Campaign document."""
	campaign.check_permission("write")
	if not may_activate(campaign):
		message = _("You may not change live campaigns. Ask a Drip Manager to review the changes of {0}.")
		refuse(message, campaign.name, exc=frappe.PermissionError)


def require_right_if_live(campaign) -> None:
	"""Raise PermissionError unless the session's user may write a Drip Campaign document, and activate it if it is live."""
	campaign.check_permission("write")
	if campaign.status in LIVE:
		require_release_right(campaign)
