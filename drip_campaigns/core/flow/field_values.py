"""Reads a field's value as its field type stores it, so that values are compared by type and never by spelling.

A form sends 100, "100" or "9:00" where the database holds 100.0 and 09:00:00. Every comparison of an old with a new value,
and of a value with a wanted one, goes through this module.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

EMPTY = (None, "")
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def as_type(value: Any, fieldtype: str) -> Any:
	"""Return a value as a field of `fieldtype` stores it: a number, seconds, a day, a moment, or a folded text.

	An empty number, Check included, is 0, as Frappe saves it. What cannot be read is returned as a folded text.
	"""
	read = READERS.get(fieldtype, fold)
	if value in EMPTY:
		return 0 if read in (read_number, read_seconds) and fieldtype != "Time" else None
	with suppress(ValueError, TypeError, ArithmeticError):
		return read(value)
	return fold(value)


def is_same(old: Any, new: Any, fieldtype: str) -> bool:
	"""Return whether a field of `fieldtype` holds the same value as before."""
	return as_type(old, fieldtype) == as_type(new, fieldtype)


def is_empty(value: Any) -> bool:
	"""Return whether Frappe's list filter "is not set" finds the value: nothing, or the number 0 (an unticked Check)."""
	return value in EMPTY or (isinstance(value, bool | int | float | Decimal) and value == 0)


def read_number(value: Any) -> float:
	"""Return a number, or the words of a Check, as a float; raise ValueError for other words."""
	text = str(value).strip().casefold()
	if text in YES or text in NO:
		return float(text in YES)
	return float(value)


def read_seconds(value: Any) -> float:
	"""Return a time of day or a length of time in seconds: "9:00", "09:00:00.5", a time, a timedelta, or seconds."""
	if isinstance(value, timedelta):
		return value.total_seconds()
	if isinstance(value, time):
		value = value.isoformat()
	parts = [float(part) for part in str(value).split(":")]
	if len(parts) == 1:
		return parts[0]
	hours, minutes, seconds = (*parts, 0.0)[:3]
	return hours * 3600 + minutes * 60 + seconds


def read_day(value: Any) -> date:
	"""Return the day of a date, a moment, or an ISO text."""
	return value.date() if isinstance(value, datetime) else date.fromisoformat(str(value)[:10])


def read_moment(value: Any) -> datetime:
	"""Return the moment of an ISO text; a day is its midnight."""
	return datetime.fromisoformat(str(value))


def fold(value: Any) -> str:
	"""Return a text as the database compares it (utf8mb4_unicode_ci): regardless of case, accents, and spaces at its end."""
	decomposed = unicodedata.normalize("NFKD", str(value).casefold())
	return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).rstrip(" ")


READERS: dict[str, Callable[[Any], Any]] = {
	**dict.fromkeys(("Int", "Long Int", "Check", "Float", "Currency", "Percent", "Rating"), read_number),
	**dict.fromkeys(("Duration", "Time"), read_seconds),
	"Date": read_day,
	"Datetime": read_moment,
}
