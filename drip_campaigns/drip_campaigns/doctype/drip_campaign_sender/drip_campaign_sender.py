"""Drip Campaign Sender: one of the users who share a campaign's new enrollments."""

from drip_campaigns.site.own_rows import OnlyInParent


class DripCampaignSender(OnlyInParent):
	"""Used by enrollment/sender_choice.py."""
