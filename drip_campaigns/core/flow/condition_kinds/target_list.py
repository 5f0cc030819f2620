"""A condition on membership in a Target List."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drip_campaigns.core.flow.condition_test import ConditionData, Test, take_negated
from drip_campaigns.core.json_fields import Fields, read_text


@dataclass(frozen=True)
class ListTest(Test):
	"""Asks whether the recipient is on a Target List."""

	kind = "list"
	target_list: str
	negated: bool = False

	@classmethod
	def read(cls, fields: Fields) -> ListTest:
		return cls(fields.take(cls.kind, read_text), take_negated(fields))

	def is_met(self, data: ConditionData, now: datetime) -> bool:
		return (self.target_list in data.memberships(self.kind)) != self.negated
