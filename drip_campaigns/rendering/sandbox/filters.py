"""Jinja's filters and tests, each checked before and after it runs. Filters that yield return a list, so that it is counted.

Left out: pprint, which is slow and shows what Python calls things.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import Undefined, pass_environment
from jinja2.filters import FILTERS as OF_JINJA
from jinja2.tests import TESTS as TESTS_OF_JINJA
from markupsafe import soft_str

from drip_campaigns.core.sandbox import bounds
from drip_campaigns.core.sandbox.budget import (
	TooCostlyError,
	budget,
	check,
	check_items,
	check_length,
	take,
)

MOST_DIGITS = 20
LONGEST_SLOW = 20_000  # characters, for filters that take much longer for longer texts
Check = Callable[..., object]


def make_filters(own: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
	"""Return the filters of a text: those of Jinja, and `own`."""
	filters = {name: function for name, function in OF_JINJA.items() if name != "pprint"}
	filters |= {"attr": _attr, "format": _format, "json": _json, **own}
	return {name: _bound(function, _BEFORE.get(name)) for name, function in filters.items()}


def make_tests() -> dict[str, Callable[..., bool]]:
	"""Return the tests of a text: those of Jinja."""
	return {name: _bound(function, None) for name, function in TESTS_OF_JINJA.items()}


def _bound(function: Callable[..., Any], before: Check | None) -> Callable[..., Any]:
	takes = getattr(function, "jinja_pass_arg", None)

	def run(*args: Any, **kwargs: Any) -> Any:
		own = args[1:] if takes else args
		budget.spend(1)
		for value in (*own, *kwargs.values()):
			check(value)
		if before and not any(isinstance(value, Undefined) for value in own):
			before(*own, **kwargs)
		result = function(*args, **kwargs)
		return check(take(result) if isinstance(result, Iterator) else result)

	if takes:
		run.jinja_pass_arg = takes
	return run


@pass_environment
def _attr(environment: Any, value: Any, name: str) -> Any:
	"""Read an attribute as `value.name` does."""
	return environment.getattr(value, str(name))


def _format(value: Any, *args: Any, **kwargs: Any) -> str:
	if args and kwargs:
		raise TypeError("format takes values, or names with values")
	return bounds.percent(soft_str(value), kwargs or args)


def _json(value: Any) -> str:
	return json.dumps(value, sort_keys=True, default=str)


def _check_join(value: Any, d: str = "", attribute: Any = None) -> None:
	if isinstance(value, list | tuple | set | dict | str):
		separators = len(soft_str(d)) * len(value)
		check_length(separators + (len(value) if isinstance(value, str) else 0))


def _check_replace(text: Any, old: str, new: str, count: int | None = None) -> None:
	found = soft_str(text).count(soft_str(old))
	check_length(found * len(soft_str(new)))


def _check_indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> None:
	length = bounds.check_width(len(width) if isinstance(width, str) else width)
	check_length((text.count("\n") + 1) * length)


def _check_wordwrap(
	text: str, width: int = 79, break_long_words: bool = True, wrapstring: str | None = None, **_: Any
) -> None:
	_check_slow(text)
	check_length((len(text) // max(width, 1) + 1) * len(wrapstring or ""))


def _check_slow(text: Any, *_args: Any, **_kwargs: Any) -> None:
	length = len(soft_str(text))
	budget.spend(length)
	if length > LONGEST_SLOW:
		raise TooCostlyError


def _check_count(_value: Any, count: int = 0, *_args: Any, **_kwargs: Any) -> None:
	check_items(count)


def _check_digits(_value: Any, precision: int = 0, *_args: Any, **_kwargs: Any) -> None:
	if abs(precision) > MOST_DIGITS:
		raise TooCostlyError


def _check_center(_value: Any, width: int = 80) -> None:
	bounds.check_width(width)


def _check_sum(items: Any, *_args: Any, **_kwargs: Any) -> None:
	if any(isinstance(item, list | tuple | str) for item in items) or any(
		isinstance(one, list | tuple | str) for one in (*_args[1:], _kwargs.get("start", 0))
	):
		raise TypeError("sum adds numbers")


def _check_list(value: Any) -> None:
	if isinstance(value, str):
		check_items(len(value))


_BEFORE: Mapping[str, Check] = {
	"batch": _check_count,
	"center": _check_center,
	"indent": _check_indent,
	"join": _check_join,
	"list": _check_list,
	"replace": _check_replace,
	"round": _check_digits,
	"slice": _check_count,
	"striptags": _check_slow,
	"sum": _check_sum,
	"title": _check_slow,
	"unique": _check_list,
	"urlize": _check_slow,
	"wordwrap": _check_wordwrap,
}
