"""A condition on membership in an Email Group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drip_campaigns.core.flow.condition_test import ConditionData, Test, take_negated
from drip_campaigns.core.json_fields import Fields, read_text


@dataclass(frozen=True)
class GroupTest(Test):
	"""Asks whether the address is in an Email Group."""

	kind = "group"
	email_group: str
	negated: bool = False

	@classmethod
	def read(cls, fields: Fields) -> GroupTest:
		return cls(fields.take(cls.kind, read_text), take_negated(fields))

	def is_met(self, data: ConditionData, now: datetime) -> bool:
		return (self.email_group in data.memberships(self.kind)) != self.negated
