"""Operators and methods whose result can be much larger than what they get: checked before they run."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import Any

from drip_campaigns.core.sandbox.budget import (
	MOST_BITS,
	TooCostlyError,
	budget,
	check,
	check_items,
	check_length,
	take,
)

WIDEST = 1_000  # of a padded text
_WIDTH = re.compile(r"\*|\d{4,}")
_PERCENT = re.compile(r"%(?:\([^)]*\))?[^a-zA-Z%]*")


def _add(left: Any, right: Any) -> Any:
	_check_growth(left, right)
	return check(left + right)


def _check_growth(left: Any, right: Any) -> None:
	if isinstance(left, str) and isinstance(right, str):
		check_length(len(left) + len(right))
	elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
		check_items(len(left) + len(right))


def _multiply(left: Any, right: Any) -> Any:
	for long, times in ((left, right), (right, left)):
		if isinstance(long, str | list | tuple) and isinstance(times, int):
			(check_length if isinstance(long, str) else check_items)(len(long) * max(times, 0))
	if isinstance(left, int) and isinstance(right, int):
		_check_bits(left.bit_length() + right.bit_length())
	return check(left * right)


def _power(left: Any, right: Any) -> Any:
	if not isinstance(left, int | float) or not isinstance(right, int | float):
		raise TypeError("only a number has a power")
	if isinstance(left, int) and isinstance(right, int):
		_check_bits(left.bit_length() * abs(right))
	return check(left**right)


def _check_bits(bits: int) -> None:
	if bits > MOST_BITS:
		raise TooCostlyError


def _remainder(left: Any, right: Any) -> Any:
	return percent(left, right) if isinstance(left, str) else check(left % right)


def percent(text: str, values: Any) -> str:
	"""Return `text % values`, if no width and no repeated value makes it too long."""
	found = _PERCENT.findall(text)
	if any(_WIDTH.search(one.partition(")")[2] or one) for one in found):
		raise TooCostlyError
	longest = len(str(check(values)))
	check_length(len(text) + len(found) * (longest + WIDEST))
	return check(text % values)


def _checked(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
	return lambda left, right: check(function(left, right))


OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
	"+": _add,
	"-": _checked(operator.sub),
	"*": _multiply,
	"/": _checked(operator.truediv),
	"//": _checked(operator.floordiv),
	"%": _remainder,
	"**": _power,
}


def replace(text: str, old: str, new: str, count: int = -1) -> str:
	"""Return the text with `new` in the place of `old`."""
	found = text.count(old) if count is None or count < 0 else min(text.count(old), count)
	check_length(len(text) + found * len(new))
	return check(text.replace(old, new, -1 if count is None else count))


def join(text: str, items: Iterable[str]) -> str:
	"""Return the items with `text` between them."""
	pieces = take(items)
	check_length(sum(map(len, pieces)) + len(text) * len(pieces))
	return check(text.join(pieces))


def split(text: str, separator: str | None = None, maxsplit: int = -1) -> list[str]:
	"""Return the parts of a text."""
	if separator:
		check_items(text.count(separator) if maxsplit < 0 else maxsplit)
	return check(text.split(separator, maxsplit))


def check_width(width: int) -> int:
	"""Return the width of a padded text; raise TooCostlyError if it is too wide."""
	if abs(width) > WIDEST:
		raise TooCostlyError
	return width


def _pad(method: str) -> Callable[..., str]:
	return lambda text, width, *fill: check(getattr(text, method)(check_width(width), *fill))


class _BoundedFormatter(Formatter):
	"""Fills {} and {name} with values, never with their attributes."""

	def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
		if "." in field_name or "[" in field_name:
			raise ValueError("{} takes no attribute: write the value after format")
		return super().get_field(field_name, args, kwargs)

	def format_field(self, value: Any, format_spec: str) -> str:
		if _WIDTH.search(format_spec):
			raise TooCostlyError
		text = check(super().format_field(check(value), format_spec))
		budget.spend(1 + len(text))  # a text that names one value many times
		return text


def format_text(text: str, *args: Any, **kwargs: Any) -> str:
	"""Return the text with values in the place of {}."""
	check_length(len(text))
	return check(_BoundedFormatter().vformat(text, args, kwargs))


# The methods of texts that are not called as they are
TEXT_METHODS: Mapping[str, Callable[..., Any]] = {
	"replace": replace,
	"join": join,
	"split": split,
	"format": format_text,
	"center": _pad("center"),
	"ljust": _pad("ljust"),
	"rjust": _pad("rjust"),
	"zfill": _pad("zfill"),
}
