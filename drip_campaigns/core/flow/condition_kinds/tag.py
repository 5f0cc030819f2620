"""A condition on a tag of the recipient's record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drip_campaigns.core.flow.condition_test import ConditionData, Test, take_negated
from drip_campaigns.core.json_fields import Fields, read_text


@dataclass(frozen=True)
class TagTest(Test):
	"""Asks whether the record has a tag, without regard to case."""

	kind = "tag"
	tag: str
	negated: bool = False

	@classmethod
	def read(cls, fields: Fields) -> TagTest:
		return cls(fields.take(cls.kind, read_text), take_negated(fields))

	def is_met(self, data: ConditionData, now: datetime) -> bool:
		return (self.tag.casefold() in data.memberships(self.kind)) != self.negated
