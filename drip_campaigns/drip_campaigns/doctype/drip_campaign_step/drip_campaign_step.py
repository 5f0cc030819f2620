"""Drip Campaign Step: one row of a campaign's schedule. The row's name identifies the step."""

from drip_campaigns.site.own_rows import OnlyInParent


class DripCampaignStep(OnlyInParent):
	"""Checked when the campaign is saved (campaign/check.py)."""
