"""Drip Campaign Exclusion: a list, mail domain, or address that a campaign never sends to."""

from drip_campaigns.site.own_rows import OnlyInParent


class DripCampaignExclusion(OnlyInParent):
	"""Used by people/exclusions.py."""
