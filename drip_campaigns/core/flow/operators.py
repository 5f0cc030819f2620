"""Compares a field's value with a filter's by Frappe's operators, as the database does: text regardless of case.

The record's value decides the type: numbers compare as numbers, days as days. An empty value matches only a filter for
an empty value, or for any other value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from drip_campaigns.core.flow.field_values import (
	EMPTY,
	fold,
	is_empty,
	read_day,
	read_moment,
	read_number,
	read_seconds,
)
from drip_campaigns.core.label import Label


class Operator(Label):
	"""The operators of a wait for a field; conditions also have Between."""

	EQUALS = "="
	DIFFERS = "!="
	GREATER = ">"
	LESS = "<"
	AT_LEAST = ">="
	AT_MOST = "<="
	LIKE = "like"
	NOT_LIKE = "not like"
	IN = "in"
	NOT_IN = "not in"
	IS = "is"


def compare(value: Any, operator: str, wanted: Any) -> bool:
	"""Return whether `value operator wanted` is true; values that cannot be compared, such as a word and a number, do not match."""
	try:
		return OPERATORS[operator](value, wanted)
	except (ValueError, TypeError, ArithmeticError):
		return False


def _equals(value: Any, wanted: Any) -> bool:
	if value in EMPTY or wanted in EMPTY:
		return value in (*EMPTY, 0) and wanted in (*EMPTY, 0, "0")
	own, other = _alike(value, wanted)
	return own == other


def _orders(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
	def compare_ordered(value: Any, wanted: Any) -> bool:
		return value not in EMPTY and holds(*_alike(value, wanted))

	return compare_ordered


def _is_like(value: Any, wanted: Any) -> bool:
	pattern = re.escape(str(wanted)).replace("%", ".*").replace("_", ".")
	return bool(re.fullmatch(pattern, str(value or ""), re.IGNORECASE | re.DOTALL))


def _is_in(value: Any, wanted: Any) -> bool:
	return any(_equals(value, one) for one in as_list(wanted))


def _is(value: Any, wanted: Any) -> bool:
	return is_empty(value) == (str(wanted).lower() == "not set")


def _is_between(value: Any, wanted: Any) -> bool:
	if value in EMPTY:
		return False
	first, last = as_list(wanted)
	if isinstance(value, datetime) and isinstance(last, str) and len(last) <= len("2026-01-01"):
		last = f"{last} 23:59:59.999999"
	low, high = _alike(value, first), _alike(value, last)
	return low[0] >= low[1] and high[0] <= high[1]


def as_list(wanted: Any) -> list[Any]:
	"""Return the values of an `in` or a `Between`: a list, or a text with commas."""
	if isinstance(wanted, list | tuple):
		return list(wanted)
	return [part.strip() for part in str(wanted).split(",")]


def _alike(value: Any, wanted: Any) -> tuple[Any, Any]:
	"""Return both with the type of `value`; raise ValueError if `wanted` does not have it."""
	if isinstance(value, datetime):
		return value, read_moment(wanted)
	if isinstance(value, date):
		return value, read_day(wanted)
	if isinstance(value, timedelta | time):
		return read_seconds(value), read_seconds(wanted)
	if isinstance(value, bool | int | float | Decimal):
		return read_number(value), read_number(wanted)
	return fold(value), fold(wanted)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
	"=": _equals,
	"!=": lambda value, wanted: not _equals(value, wanted),
	">": _orders(lambda own, other: own > other),
	"<": _orders(lambda own, other: own < other),
	">=": _orders(lambda own, other: own >= other),
	"<=": _orders(lambda own, other: own <= other),
	"like": _is_like,
	"not like": lambda value, wanted: not _is_like(value, wanted),
	"in": _is_in,
	"not in": lambda value, wanted: not _is_in(value, wanted),
	"is": _is,
	"Between": _is_between,
}
