"""Drip Campaign Trigger: an event that enrolls people in a campaign. The row's name identifies the trigger."""

from drip_campaigns.site.own_rows import OnlyInParent


class DripCampaignTrigger(OnlyInParent):
	"""Checked when the campaign is saved (campaign/check_triggers.py)."""
