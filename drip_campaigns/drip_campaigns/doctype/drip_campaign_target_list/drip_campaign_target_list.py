"""Drip Campaign Target List: a list whose members a campaign includes."""

from drip_campaigns.site.own_rows import OnlyInParent


class DripCampaignTargetList(OnlyInParent):
	"""Used by `lists/`."""
