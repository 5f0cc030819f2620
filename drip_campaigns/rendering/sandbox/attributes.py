"""What a text can read of a value. All else does not exist for it, whatever Python knows of the value."""

from collections.abc import Mapping
from datetime import date, time, timedelta
from functools import lru_cache

from jinja2.runtime import LoopContext
from jinja2.utils import Cycler

_DAY = frozenset(
	[
		"year",
		"month",
		"day",
		"hour",
		"minute",
		"second",
		"date",
		"time",
		"weekday",
		"isoweekday",
		"isoformat",
		"isocalendar",
		"strftime",
	]
)
_READABLE: Mapping[type, frozenset[str]] = {
	str: frozenset(
		[
			"capitalize",
			"casefold",
			"center",
			"count",
			"endswith",
			"find",
			"format",
			"index",
			"isalnum",
			"isalpha",
			"isdecimal",
			"isdigit",
			"islower",
			"isnumeric",
			"isspace",
			"istitle",
			"isupper",
			"join",
			"ljust",
			"lower",
			"lstrip",
			"partition",
			"removeprefix",
			"removesuffix",
			"replace",
			"rfind",
			"rindex",
			"rjust",
			"rpartition",
			"rstrip",
			"split",
			"splitlines",
			"startswith",
			"strip",
			"swapcase",
			"title",
			"upper",
			"zfill",
		]
	),
	date: _DAY,
	time: frozenset({"hour", "minute", "second", "isoformat", "strftime"}),
	timedelta: frozenset({"days", "seconds", "total_seconds"}),
	list: frozenset({"count", "index"}),
	tuple: frozenset({"count", "index"}),
	dict: frozenset({"get", "items", "keys", "values"}),
	LoopContext: frozenset(
		[
			"changed",
			"cycle",
			"depth",
			"depth0",
			"first",
			"index",
			"index0",
			"last",
			"length",
			"nextitem",
			"previtem",
			"revindex",
			"revindex0",
		]
	),
	Cycler: frozenset({"current", "next", "reset"}),
}


@lru_cache(maxsize=256)
def readable_of(kind: type) -> frozenset[str]:
	"""Return the names of the attributes and methods that a text can read of a value of this type."""
	if issubclass(kind, tuple) and hasattr(kind, "_fields"):
		return frozenset(kind._fields)
	return next((_READABLE[base] for base in kind.__mro__ if base in _READABLE), frozenset())
