"""A condition on the recipient's place in another campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drip_campaigns.core.flow.condition_test import ConditionData, Test, take_negated
from drip_campaigns.core.json_fields import Fields, read_choice, read_text
from drip_campaigns.core.label import Label


class CampaignStanding(Label):
	"""How a recipient can be related to another campaign."""

	EVER = "Ever"
	NOW = "Now"
	COMPLETED = "Completed"
	LEFT = "Left"


@dataclass(frozen=True)
class CampaignTest(Test):
	"""Asks whether, and how, the recipient is or was in another campaign."""

	kind = "campaign"
	campaign: str
	stands: CampaignStanding = CampaignStanding.EVER
	negated: bool = False

	@classmethod
	def read(cls, fields: Fields) -> CampaignTest:
		standings = {one.value.lower(): one for one in CampaignStanding}
		return cls(
			fields.take(cls.kind, read_text),
			fields.take("stands", read_choice(standings), CampaignStanding.EVER),
			take_negated(fields),
		)

	def is_met(self, data: ConditionData, now: datetime) -> bool:
		return ((self.campaign, self.stands) in data.memberships(self.kind)) != self.negated
