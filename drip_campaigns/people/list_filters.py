"""List filters that a user has chosen or typed: read, checked, and tried in one place.

Audiences, triggers, goals, and target lists use it, so that a bad filter is the same clear error everywhere, and so that
nobody counts records by a field that they may not read: a password, a key, or a field on a permission level.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import frappe
from frappe import _
from frappe.utils.data import get_timespan_date_range

from drip_campaigns.core.errors import DripError

Filters = list[list[Any]]  # [DocType, field, operator, value]

_LISTS = ("in", "not in")
OPERATORS = frozenset(
	(
		*("=", "!=", ">", "<", ">=", "<=", "like", "not like", "is", "between", "timespan", *_LISTS),
		*(
			"descendants of",
			"ancestors of",
			"not descendants of",
			"not ancestors of",
			"descendants of (inclusive)",
		),
	)
)
STANDARD_FIELDS = frozenset(
	(
		"name",
		"owner",
		"creation",
		"modified",
		"modified_by",
		"docstatus",
		"idx",
		"_user_tags",
		"_assign",
		"_liked_by",
	)
)
# Fields that Frappe and apps fill with secrets as plain text
_SECRET = re.compile(
	r"(?:^|_)(?:password|passwd|pwd|secrets?|tokens?|otp)(?:_|$)|(?:api|access|private|encryption|login|reset|change)_?key"
)
_SECRET_TYPES = ("Password",)


class InvalidFiltersError(DripError):
	"""The filters cannot be used: they are not filters, or ask about what the user may not read."""


def read_filters(doctype: str, filters: Any) -> Filters:
	"""Return filters as rows of [DocType, field, operator, value].

	Takes what Frappe's lists take: rows of three or more values, or a mapping of field to value, as JSON or as Python
	values. Raises InvalidFiltersError with the number of the filter, the cause, and the remedy.
	"""
	rows = _parse(filters)
	if not isinstance(doctype, str) or not frappe.db.exists("DocType", doctype, cache=True):
		raise _invalid(_("this site has no {0} records").format(_(str(doctype)[:140])))
	if isinstance(rows, Mapping):
		rows = [[field, *_as_condition(value)] for field, value in rows.items()]
	if not isinstance(rows, list):
		raise _invalid(_("they are not a list of conditions"))
	return [_read_row(doctype, number, row) for number, row in enumerate(rows, 1)]


def check_filters(doctype: str, filters: Any, *users: str) -> Filters:
	"""Return what `read_filters` does, after it is certain that they work and that all of `users` may use them."""
	rows = read_filters(doctype, filters)
	for user in dict.fromkeys(users):
		for problem in _find_forbidden(doctype, rows, user):
			raise InvalidFiltersError(problem)
	if rows:
		_try(doctype, rows)
	return rows


def find_field_problem(doctype: str, fieldname: str, user: str, parent: str | None = None) -> str | None:
	"""Return why `user` may not ask about a field of `doctype`, a child table of `parent`; None if they may."""
	field = frappe.get_meta(doctype).get_field(fieldname)
	if field is None:
		return None  # a standard field, which every list shows
	names = _(field.label or fieldname), _(parent or doctype)
	if field.fieldtype in _SECRET_TYPES or _SECRET.search(fieldname.lower()):
		return _("the field {0} of {1} holds a secret, which nobody may ask about").format(*names)
	levels = frappe.get_meta(doctype).get_permlevel_access("read", parenttype=parent, user=user)
	if user == "Administrator" or not field.permlevel or field.permlevel in levels:
		return None
	return _("{2} may not read the field {0} of {1}").format(*names, user)


def _parse(filters: Any) -> Any:
	if not isinstance(filters, str):
		return filters or []
	try:
		return json.loads(filters or "[]")
	except (ValueError, RecursionError) as error:
		raise _invalid(_("they are not JSON")) from error


def _as_condition(value: Any) -> tuple[Any, Any]:
	is_condition = isinstance(value, list | tuple) and len(value) == 2 and value[0] in OPERATORS
	return (value[0], value[1]) if is_condition else ("=", value)


def _read_row(doctype: str, number: int, row: Any) -> list[Any]:
	if not isinstance(row, list | tuple) or len(row) < 3:
		raise _invalid(_("filter {0} is not a list of field, operator and value").format(number))
	table, field, operator, value = row[:4] if len(row) > 3 else (doctype, *row)
	problem = _find_field_missing(doctype, table, field) or _find_bad_value(operator, value)
	if problem:
		raise _invalid(_("filter {0}: {1}").format(number, problem))
	return [table, field, operator.lower(), value]


def _find_field_missing(doctype: str, table: Any, field: Any) -> str | None:
	if not isinstance(table, str) or not isinstance(field, str):
		return _("the field is not a name")
	meta = frappe.get_meta(doctype)
	if table != doctype and table not in [one.options for one in meta.get_table_fields()]:
		return _("{0} has no table of {1}").format(_(doctype), table[:140])
	known = frappe.get_meta(table)
	described = known.get_field(field)
	if field in STANDARD_FIELDS or (
		field in known.get_valid_columns() and not (described and described.get("is_virtual"))
	):
		return None
	return _("{0} has no field {1}").format(_(table), field[:140])


def _find_bad_value(operator: Any, value: Any) -> str | None:
	if not isinstance(operator, str) or operator.lower() not in OPERATORS:
		return _("“{0}” is not an operator").format(str(operator)[:140])
	operator, is_list = operator.lower(), isinstance(value, list | tuple)
	if is_list and not all(one is None or isinstance(one, str | int | float) for one in value):
		return _("the value is nested")
	if operator == "between" and (not is_list or len(value) != 2):
		return _("“between” needs two values")
	if operator == "timespan" and not (isinstance(value, str) and get_timespan_date_range(value.lower())):
		return _("“{0}” is not a timespan").format(str(value)[:140])
	if operator == "is" and value not in ("set", "not set"):
		return _("“is” needs “set” or “not set”")
	if operator in (*_LISTS, "between"):
		return (
			None
			if is_list or isinstance(value, str | int | float)
			else _("“{0}” needs a list").format(operator)
		)
	return (
		None
		if value is None or isinstance(value, str | int | float)
		else _("“{0}” needs one value").format(operator)
	)


def _find_forbidden(doctype: str, rows: Filters, user: str) -> Iterator[str]:
	for number, (table, field, *_rest) in enumerate(rows, 1):
		parent = doctype if table != doctype else None
		if problem := find_field_problem(table, field, user, parent):
			yield _("Filter {0} cannot be used: {1}. Remove the filter.").format(number, problem)


def _try(doctype: str, rows: Filters) -> None:
	"""Ask the database for nothing with these filters: it refuses what only it knows, such as a date that is none."""
	try:
		frappe.get_all(
			doctype, filters=[*rows, [doctype, "name", "in", ["", "-"]]], pluck="name", limit_page_length=1
		)
	except (
		*(ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError),
		*(frappe.ValidationError, frappe.DataError),
		*(frappe.db.OperationalError, frappe.db.ProgrammingError, frappe.db.DataError),
	) as error:
		frappe.clear_last_message()
		raise _invalid(str(error) or type(error).__name__) from error


def _invalid(cause: Any) -> InvalidFiltersError:
	return InvalidFiltersError(
		_("The filters cannot be used: {0}. Clear them and choose again.").format(cause)
	)
