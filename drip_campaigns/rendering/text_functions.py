"""The functions that texts can use, besides Jinja's own: pure ones, each by its name, with the arguments that are listed here.

None takes the name of a file, a DocType, or a record; a currency is only its code of three letters.
`docs/guide/texts.md` lists them for users, and a test compares the two.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any

import frappe
from frappe import _
from frappe.utils import data
from jinja2 import TemplateRuntimeError
from markupsafe import Markup

from drip_campaigns.core.sandbox.budget import budget
from drip_campaigns.rendering.sandbox.environment import Names
from drip_campaigns.site.public_address import public_url

_DATES = {
	"add_days": "date days",
	"add_months": "date months",
	"add_to_date": "date years months weeks days hours minutes seconds as_string as_datetime",
	"add_years": "date years",
	"date_diff": "string_ed_date string_st_date",
	"format_date": "string_date format_string",
	"format_datetime": "datetime_string format_string",
	"format_duration": "seconds hide_days",
	"format_time": "time_string format_string",
	"formatdate": "string_date format_string",
	"get_datetime": "datetime_str",
	"get_first_day": "dt d_years d_months as_str",
	"get_first_day_of_week": "dt as_str",
	"get_last_day": "dt",
	"get_last_day_of_week": "dt",
	"get_quarter_ending": "date",
	"get_quarter_start": "dt as_str",
	"get_time": "time_str",
	"get_weekday": "datetime",
	"get_year_ending": "date",
	"get_year_start": "dt as_str",
	"getdate": "string_date",
	"global_date_format": "date format",
	"month_diff": "string_ed_date string_st_date",
	"now": "",
	"now_datetime": "",
	"nowdate": "",
	"nowtime": "",
	"pretty_date": "iso_datetime",
	"time_diff": "string_ed_date string_st_date",
	"time_diff_in_hours": "string_ed_date string_st_date",
	"time_diff_in_seconds": "string_ed_date string_st_date",
	"today": "",
}
_NUMBERS = {
	"ceil": "s",
	"cint": "s default",
	"cstr": "s",
	"floor": "s",
	"flt": "s precision",
	"remainder": "numerator denominator precision",
	"rounded": "num precision",
	"safe_div": "numerator denominator precision",
}
_MONEY = {
	"fmt_money": "amount precision currency",
	"in_words": "integer in_million",
	"money_in_words": "number main_currency fraction_currency",
}
_TEXT = {
	"comma_and": "some_list add_quotes",
	"comma_or": "some_list add_quotes",
	"escape_html": "text",
	"get_abbr": "string max_len",
	"get_url": "uri",
	"strip_html": "text",
}
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
	name: tuple(arguments.split())
	for group in (_DATES, _NUMBERS, _MONEY, _TEXT)
	for name, arguments in group.items()
}
FORMATTED_TYPES = ("Currency", "Data", "Date", "Datetime", "Duration", "Float", "Int", "Percent", "Time")
LONGEST_ARGUMENT = 20_000  # characters
LONGEST_SHORT = 100
MOST_DIGITS = 15
STEPS = 20  # of the budget, for one call
_SHORT = (
	"format",
	"format_string",
	"string_date",
	"dt",
	"date",
	"datetime_str",
	"time_str",
	"s",
	"num",
	"uri",
)
_CURRENCY = re.compile(r"[A-Z]{3}")
_VALUES = (str, int, float, Decimal, date, datetime, time, timedelta, type(None))


class TextFunctionError(TemplateRuntimeError):
	"""A function of a text gets an argument that it cannot use."""


def make_names() -> dict[str, Any]:
	"""Return what a text can name besides the values of its recipient."""
	utils = {name: _guard(name, _find(name), arguments) for name, arguments in ARGUMENTS.items()}
	utils["get_url"] = _guard(
		"get_url", public_url, ARGUMENTS["get_url"]
	)  # never from a request's Host header
	return {
		"_": translate,
		"frappe": Names(
			{
				"utils": Names(utils),
				"bold": _guard("bold", _bold, ("text",)),
				"format": format_value,
				"format_date": utils["global_date_format"],
				"format_value": format_value,
				"get_url": utils["get_url"],
			}
		),
	}


def make_filters() -> dict[str, Callable[..., Any]]:
	"""Return the filters that Frappe adds to those of Jinja."""
	filters = {
		name: _guard(name, _find(function), ARGUMENTS[function])
		for name, function in (("int", "cint"), ("str", "cstr"), ("flt", "flt"))
	}
	return {**filters, "len": len}


def translate(text: str, context: str | None = None) -> str:
	"""Return a text in the language in which the step is written for this recipient."""
	return _(_check("text", str(text), "_"), context=_check("context", context, "_"))


def format_value(value: Any, kind: Any = None, currency: str | None = None) -> Any:
	"""Return a value as Desk shows one of this field type; `kind` is "Date", for example, or {"fieldtype": "Date"}."""
	options = kind.get("options") if isinstance(kind, dict) else None
	kind = kind.get("fieldtype") if isinstance(kind, dict) else kind
	if kind is not None and kind not in FORMATTED_TYPES:
		raise TextFunctionError(f"{kind} is not a type to format. Use one of {', '.join(FORMATTED_TYPES)}")
	currency = _check("currency", currency or options, "format")
	field = frappe._dict(fieldtype=kind) if kind else None
	budget.spend(STEPS)
	return frappe.format_value(_check("value", value, "format"), field, currency=currency)


def _find(name: str) -> Callable[..., Any]:
	return getattr(frappe.utils, name, None) or getattr(data, name)


def _bold(text: Any) -> Markup:
	return Markup("<strong>{}</strong>").format(text)


def _guard(name: str, function: Callable[..., Any], arguments: tuple[str, ...]) -> Callable[..., Any]:
	"""Return a function that takes only `arguments`, in this order or by name, and only plain and short values."""

	@wraps(function)
	def call(*args: Any, **kwargs: Any) -> Any:
		if len(args) > len(arguments) or not set(kwargs) <= set(arguments):
			raise TextFunctionError(f"{name} takes these arguments: {', '.join(arguments) or 'none'}")
		budget.spend(STEPS)
		first = [_check(argument, value, name) for argument, value in zip(arguments, args, strict=False)]
		return function(
			*first, **{argument: _check(argument, value, name) for argument, value in kwargs.items()}
		)

	return call


def _check(argument: str, value: Any, function: str) -> Any:
	if isinstance(value, list | tuple) and argument == "some_list":
		return [_check("item", item, function) for item in value]
	if not isinstance(value, _VALUES):
		raise TextFunctionError(f"{function} takes text, numbers, and dates as {argument}")
	if problem := _find_problem(argument, value):
		raise TextFunctionError(f"{function}: {argument} {problem}")
	return str(value) if isinstance(value, str) else value


def _find_problem(argument: str, value: Any) -> str:
	if argument in ("precision", "max_len"):
		is_digits = value is None or (isinstance(value, int) and 0 <= value <= MOST_DIGITS)
		return "" if is_digits else f"is a number from 0 to {MOST_DIGITS}"
	if isinstance(value, str):
		if "currency" in argument and value and not _CURRENCY.fullmatch(value):
			return "is a code of three letters, such as EUR"
		longest = LONGEST_SHORT if argument in _SHORT else LONGEST_ARGUMENT
		return f"has more than {longest} characters" if len(value) > longest else ""
	if isinstance(value, int | float) and abs(value) >= 10**MOST_DIGITS:
		return "is too large"
	return ""
