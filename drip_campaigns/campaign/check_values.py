"""Whether a field takes a value that an action gives it. A value that is filled from the record is known only then."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.actions.action_texts import read_values
from drip_campaigns.core.flow.actions import ActionKind
from drip_campaigns.core.model import StepType

LONGEST_LIST = 12  # values named in a sentence
_NAMED_BY_FRAPPE = ("naming_series",)


def warn_of_missing_values(campaign) -> None:
	"""Tell the user which mandatory fields of a document an action leaves empty; its own code may fill them, so it is saved."""
	for row in campaign.steps:
		if row.step_type == StepType.ACTION and row.action == ActionKind.CREATE:
			missing = find_missing(row.action_doctype, read_values(row.action_values))
			if missing:
				sentence = _(
					"Step {0}: {1} needs {2}, which Values leaves empty. Press Set Values in the step."
				)
				named = ", ".join(_(field.label) for field in missing)
				frappe.msgprint(
					sentence.format(row.idx, _(row.action_doctype), named),
					title=_("A value that may be missing"),
					indicator="orange",
				)


def find_missing(doctype: str, values: Mapping[str, Any]) -> list:
	"""Return the mandatory DocFields of a new document that have neither one of these values nor a default."""
	document = frappe.new_doc(doctype)
	return [
		field
		for field in document.meta.get("fields", {"reqd": 1})
		if field.fieldname not in _NAMED_BY_FRAPPE
		and values.get(field.fieldname) in (None, "")
		and document.get(field.fieldname) in (None, "", [])
	]


def find_value_problem(field, value: object) -> str | None:
	"""Return what is wrong with a value for a DocField, and the remedy; None if it will do, or cannot be known yet."""
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
	return _("“{0}” is no value of {1}. Choose one of: {2}.").format(text, _(field.label), named)


def _link(field, text: str) -> str | None:
	if not field.options or frappe.db.exists(field.options, text):
		return None
	return _("There is no {0} “{1}” for {2}. Choose another one.").format(
		_(field.options), text, _(field.label)
	)


def _number(field, text: str) -> str | None:
	message = _("“{0}” is no number, which {1} needs. Enter one.")
	return _try(float, text, message.format(text, _(field.label)))


def _day(field, text: str) -> str | None:
	message = _("“{0}” is no date, which {1} needs. Write it as 2026-12-31.")
	return _try(date.fromisoformat, text, message.format(text, _(field.label)))


def _moment(field, text: str) -> str | None:
	message = _("“{0}” is no date and time, which {1} needs. Write it as 2026-12-31 10:00.")
	return _try(datetime.fromisoformat, text, message.format(text, _(field.label)))


def _yes_or_no(field, text: str) -> str | None:
	if text in ("0", "1"):
		return None
	return _("“{0}” is neither 1 nor 0, which {1} needs. Enter one of the two.").format(text, _(field.label))


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
