"""A condition on a field of the recipient's record, or of a record to which it links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from drip_campaigns.core.flow.condition_test import ConditionData, Test, read_optional_text
from drip_campaigns.core.flow.operators import OPERATORS, as_list, compare
from drip_campaigns.core.json_fields import Fields, fail, read_choice, read_text

LONGEST_TEXT = 1000


@dataclass(frozen=True)
class FieldTest(Test):
	"""Compares a field with a value."""

	kind = "field"
	field: str
	operator: str
	value: Any
	link: str = ""  # the field of the record that leads to the other record
	doctype: str = ""  # the recipient type; a recipient of another type does not meet the test

	@classmethod
	def read(cls, fields: Fields) -> FieldTest:
		test = cls(
			field=fields.take("field", read_text),
			operator=fields.take("operator", read_choice({operator: operator for operator in OPERATORS})),
			value=fields.take("value", _read_value, ""),
			link=fields.take("link", read_optional_text, ""),
			doctype=fields.take("doctype", read_optional_text, ""),
		)
		if test.operator == "Between" and len(as_list(test.value)) != 2:
			fail(fields.path_of("value"), "must be two values for Between")
		if test.operator == "is" and str(test.value).lower() not in ("set", "not set"):
			fail(fields.path_of("value"), "must be one of: set, not set")
		return test

	def is_met(self, data: ConditionData, now: datetime) -> bool:
		if self.doctype and self.doctype != data.doctype:
			return False
		return compare(data.value_of(self.link, self.field), self.operator, self.value)


def _read_value(value: Any, path: str) -> Any:
	many = value if isinstance(value, list) else [value]
	if len(many) > LONGEST_TEXT or not all(
		isinstance(one, str | int | float | bool | type(None)) and len(str(one)) <= LONGEST_TEXT
		for one in many
	):
		fail(path, f"must be a text, a number or a list of them, of at most {LONGEST_TEXT} characters each")
	return tuple(value) if isinstance(value, list) else value
