"""Reads how a step fits into the flow, from the simulation's file or from the fields of a form. Both use the same names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from drip_campaigns.core.flow.condition_test import Test
from drip_campaigns.core.flow.conditions import BUILT_IN_TESTS, read_conditions
from drip_campaigns.core.flow.step_flow import Flow, Otherwise
from drip_campaigns.core.flow.wait_kind import Awaited, OnTimeout
from drip_campaigns.core.flow.waits import BUILT_IN_WAITS
from drip_campaigns.core.json_fields import (
	Fields,
	or_null,
	read_choice,
	read_count,
	read_text,
)
from drip_campaigns.core.label import Label

FLOW_FIELDS = (
	"conditions",
	"otherwise",
	"otherwise_step",
	"next_step",
	"expires_after_hours",
)
WAIT_FIELDS = (
	"wait_for",
	*dict.fromkeys(field for kind, awaited in BUILT_IN_WAITS.items() for field in awaited.fields_of(kind)),
	"wait_limit_days",
	"wait_limit_hours",
	"on_timeout",
	"on_timeout_step",
)
_CHOICES = ("otherwise", "wait_for", "wait_since", "on_timeout")
_NUMBERS = ("expires_after_hours", "wait_days", "wait_limit_days", "wait_limit_hours")


def option_values(enum: type[Label]) -> dict[str, Label]:
	"""Return the members of an enum by their names in a file."""
	return {member.value.lower(): member for member in enum}


def read_form_values(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
	"""Return the fields of a step's form that are filled, as a file has them: choices in lower case, conditions as an object.

	Raises ValueError for conditions that are not JSON.
	"""
	given = {name: _read_form_value(name, row.get(name)) for name in names}
	return {name: value for name, value in given.items() if value not in (None, "", 0)}


def _read_form_value(name: str, value: Any) -> Any:
	if not value:
		return None
	if name == "conditions":
		return json.loads(value) if isinstance(value, str) else value
	if name in _NUMBERS:
		return int(value)
	return str(value).lower() if name in _CHOICES else str(value).strip()


def take_flow(
	fields: Fields,
	*,
	waits: bool,
	test_kinds: Mapping[str, type[Test]] = BUILT_IN_TESTS,
	wait_kinds: Mapping[str, type[Awaited]] = BUILT_IN_WAITS,
) -> Flow:
	"""Read from a step's fields how it fits into the flow; without `waits` it has no fields of a wait."""
	read = partial(read_conditions, kinds=test_kinds)
	return Flow(
		conditions=fields.take("conditions", or_null(read), None),
		otherwise=fields.take("otherwise", read_choice(option_values(Otherwise)), Otherwise.SKIP),
		otherwise_step=fields.take("otherwise_step", read_text, ""),
		next_step=fields.take("next_step", read_text, ""),
		expires_after_hours=fields.take("expires_after_hours", read_count, 0),
		awaited=_take_awaited(fields, wait_kinds) if waits else None,
	)


def _take_awaited(fields: Fields, kinds: Mapping[str, type[Awaited]]) -> Awaited:
	kind = fields.take("wait_for", read_choice({str(kind).lower(): kind for kind in kinds}))
	days = fields.take("wait_limit_days", read_count, 0)
	return kinds[kind].take(
		fields,
		kind,
		limit_hours=days * 24 + fields.take("wait_limit_hours", read_count, 0),
		on_timeout=fields.take("on_timeout", read_choice(option_values(OnTimeout)), OnTimeout.CONTINUE),
		on_timeout_step=fields.take("on_timeout_step", read_text, ""),
	)
