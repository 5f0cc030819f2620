"""Wait until a field of the recipient's record has a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from drip_campaigns.core.flow.condition_kinds.field import FieldTest
from drip_campaigns.core.flow.operators import OPERATORS
from drip_campaigns.core.flow.wait_kind import Awaited, WaitFor, Waiting
from drip_campaigns.core.json_fields import Fields, fail, read_choice, read_text

CHECK_EVERY = timedelta(hours=1)  # a field can change without an event


@dataclass(frozen=True)
class FieldWait(Awaited):
	"""Ends when the field is found to have the value."""

	kinds = (WaitFor.FIELD_VALUE,)
	needed = ("wait_field",)
	counts_late = True
	field: FieldTest

	@classmethod
	def fields_of(cls, kind: str) -> tuple[str, ...]:
		return (*cls.needed, "wait_operator", "wait_value")

	@classmethod
	def take(cls, fields: Fields, kind: str, **limit: Any) -> FieldWait:
		field = fields.take("wait_field", read_text)
		operator = fields.take("wait_operator", read_choice({name: name for name in OPERATORS}), "=")
		return cls(FieldTest(field, operator, fields.take("wait_value", _read_value, "")), **limit)

	@property
	def tests(self) -> tuple[FieldTest, ...]:
		return (self.field,)

	def look(self, waiting: Waiting) -> tuple[datetime | None, datetime]:
		is_met = self.field.is_met(waiting.data, waiting.now)
		return (waiting.now if is_met else None), waiting.now + CHECK_EVERY


def _read_value(value: Any, path: str) -> Any:
	if not isinstance(value, str | int | float):
		fail(path, "must be a text or a number")
	return value
