"""A condition for what no other kind can ask: an expression."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drip_campaigns.core.flow.condition_test import ConditionData, Test
from drip_campaigns.core.json_fields import Fields, fail, read_text

LONGEST_EXPRESSION = 1000


@dataclass(frozen=True)
class ExpressionTest(Test):
	"""Asks whether an expression is true, in a sandbox."""

	kind = "expression"
	expression: str

	@classmethod
	def read(cls, fields: Fields) -> ExpressionTest:
		expression = fields.take(cls.kind, read_text).strip()
		if len(expression) > LONGEST_EXPRESSION:
			fail(fields.path_of(cls.kind), f"must not be longer than {LONGEST_EXPRESSION} characters")
		return cls(expression)

	def is_met(self, data: ConditionData, now: datetime) -> bool:
		return data.evaluate(self.expression)
