"""Check the recipient types that Drip Settings adds, when a user saves the settings."""

from collections.abc import Iterable, Iterator

import frappe
from frappe import _

from drip_campaigns.people.recipient_types import BUILT_IN
from drip_campaigns.people.status_flags import read_lines

_TEXT = ("Data", "Read Only", "Small Text", "Text", "Autocomplete", "Select")
# The field types that can hold the fact of each field of the row
_CAN_HOLD = {
	"address_field": _TEXT,
	"name_field": _TEXT,
	"language_field": (*_TEXT, "Link"),
	"time_zone_field": _TEXT,
	"owner_field": (*_TEXT, "Link"),
	"forbidding_field": ("Check",),
}


def find_problems(rows: Iterable) -> Iterator[str]:
	"""Yield the problems of the rows of Recipient Types, each with its row and the remedy."""
	seen: set[str] = set()
	for row in rows:
		label = _("Recipient Types, row {0}").format(row.idx)
		problem = _doctype_problem(row, seen)
		seen.add(row.document_type)
		for sentence in [problem] if problem else [*_field_problems(row), *_status_problems(row)]:
			yield f"{label}: {sentence}"


def _doctype_problem(row, seen: set[str]) -> str | None:
	doctype = row.document_type
	names_statuses = row.opt_out_statuses or row.closed_statuses
	if doctype in seen or (doctype in BUILT_IN and not names_statuses):
		return _("{0} is already a recipient type. Remove the row.").format(_(doctype))
	if not frappe.db.exists("DocType", doctype):
		return _("the DocType {0} does not exist. Choose another one.").format(doctype)
	meta = frappe.get_meta(doctype)
	if meta.istable or meta.issingle or meta.get("is_virtual"):
		return _(
			"{0} has no records of its own: it is a child table, a Single or virtual. Choose another DocType."
		).format(_(doctype))
	if meta.module == "Drip Campaigns":
		return _("{0} belongs to this app. Choose a DocType whose records are people.").format(_(doctype))
	return None


def _status_problems(row) -> Iterator[str]:
	field = frappe.get_meta(row.document_type).get_field(row.status_field or "status")
	named = [*read_lines(row.opt_out_statuses), *read_lines(row.closed_statuses)]
	for status in named if field else ():
		is_option = field.fieldtype != "Select" or status in (field.options or "").split("\n")
		if not is_option or (field.fieldtype == "Link" and not frappe.db.exists(field.options, status)):
			yield _("{0} has no status {1}. Enter one of its statuses.").format(_(row.document_type), status)
	if named and not field:
		sentence = _("{0} has no field {1}. Choose the field that holds the status.")
		yield sentence.format(_(row.document_type), row.status_field or "status")


def _field_problems(row) -> Iterator[str]:
	meta = frappe.get_meta(row.document_type)
	if row.document_type not in BUILT_IN and not row.address_field:
		yield _("{0} is empty. Choose one.").format(_(row.meta.get_label("address_field")))
	for fact, fieldtypes in _CAN_HOLD.items():
		fieldname = row.get(fact)
		if not fieldname or (fact == "owner_field" and fieldname == "owner"):
			continue
		name = _(row.meta.get_label(fact))
		field = meta.get_field(fieldname)
		if field is None or field.get("is_virtual"):
			yield _("{0}: {1} has no field {2}. Enter the name of one of its fields.").format(
				name, _(row.document_type), fieldname
			)
		elif field.fieldtype not in fieldtypes:
			yield _("{0}: the field {1} of {2} is a {3}. Choose one of these: {4}.").format(
				name, fieldname, _(row.document_type), field.fieldtype, ", ".join(fieldtypes)
			)
