"""Check the fields that an action sets, and the values that it gives them.

A value with a placeholder is known only when the action runs, so it passes the check.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime

import frappe
from frappe import _

LONGEST_LIST = 12  # values named in a sentence
_WITHOUT_VALUE = (
	*("Section Break", "Column Break", "Tab Break", "HTML", "Button", "Fold", "Heading", "Image", "Table"),
)


def find_field_problems(campaign, doctype: str, fieldname: str, value: object) -> Iterator[str]:
	"""Yield what forbids setting a field of a DocType to a value with the rights of the campaign's owner."""
	meta = frappe.get_meta(doctype)
	field = meta.get_field(fieldname)
	owner = campaign.owner or frappe.session.user
	if field is None or field.fieldtype in _WITHOUT_VALUE or field.get("is_virtual"):
		yield _("{0} has no field {1} that can be set. Choose another one.").format(_(doctype), fieldname)
	elif field.read_only:
		yield _("{0} of {1} is read only. Choose another field.").format(_(field.label), _(doctype))
	elif field.permlevel and field.permlevel not in meta.get_permlevel_access("write", user=owner):
		message = _("{0} may not change {1} of {2}. Choose another field.")
		yield message.format(owner, _(field.label), _(doctype))
	elif problem := find_value_problem(field, value):
		yield problem


def check_levels(document, fieldnames: Iterable[str]) -> None:
	"""Raise frappe.PermissionError for a field whose permission level the user may not write.

	Without this check, Frappe keeps the old value and reports nothing.
	"""
	levels = document.get_permlevel_access("write")
	for name in fieldnames:
		field = document.meta.get_field(name)
		if field and field.permlevel and field.permlevel not in levels:
			raise frappe.PermissionError


def find_value_problem(field, value: object) -> str | None:
	"""Return what is wrong with a value for a DocField, and what to do; None if it fits, or is not known yet."""
	text = str(value if value is not None else "").strip()
	check = _CHECKS.get(field.fieldtype)
	if not text or "{{" in text or "{%" in text or check is None:
		return None
	return check(field, text)


def _select(field, text: str) -> str | None:
	allowed = [option for option in (field.options or "").split("\n") if option]
	if text in allowed or not allowed:
		return None
	named = ", ".join(allowed[:LONGEST_LIST])
	return _("“{0}” isn't an option for {1}. Choose one of: {2}.").format(text, _(field.label), named)


def _link(field, text: str) -> str | None:
	if not field.options or frappe.db.exists(field.options, text):
		return None
	return _("{0} “{1}” for {2} doesn't exist. Choose another one.").format(
		_(field.options), text, _(field.label)
	)


def _number(field, text: str) -> str | None:
	message = _("{1} needs a number; “{0}” isn't one. Enter a number.")
	return _try(float, text, message.format(text, _(field.label)))


def _day(field, text: str) -> str | None:
	message = _("{1} needs a date; “{0}” isn't one. Write it as 2026-12-31.")
	return _try(date.fromisoformat, text, message.format(text, _(field.label)))


def _moment(field, text: str) -> str | None:
	message = _("{1} needs a date and time; “{0}” isn't one. Write it as 2026-12-31 10:00.")
	return _try(datetime.fromisoformat, text, message.format(text, _(field.label)))


def _yes_or_no(field, text: str) -> str | None:
	if text in ("0", "1"):
		return None
	return _("{1} needs 1 or 0; “{0}” is neither. Enter 1 or 0.").format(text, _(field.label))


def _try(read: Callable[[str], object], text: str, sentence: str) -> str | None:
	try:
		read(text)
	except ValueError:
		return sentence
	return None


_CHECKS = {
	"Select": _select,
	"Link": _link,
	"Int": _number,
	"Float": _number,
	"Currency": _number,
	"Percent": _number,
	"Date": _day,
	"Datetime": _moment,
	"Check": _yes_or_no,
}
