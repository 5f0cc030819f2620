"""Drip Step Variant: another text of a step, sent to a share of the people who reach it."""

from drip_campaigns.site.own_rows import OnlyInParent


class DripStepVariant(OnlyInParent):
	"""One row of a campaign; its step is the one with the same label, whose own text is variant A."""
