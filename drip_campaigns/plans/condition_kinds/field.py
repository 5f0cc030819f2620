"""Conditions on a field of the recipient's record, or of a record to which it links."""

from collections import defaultdict
from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.core.flow.condition_kinds.field import FieldTest
from drip_campaigns.core.flow.operators import as_list
from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.plans.condition_kind import ConditionKind

STANDARD_FIELDS = ("name", "owner", "creation", "modified", "modified_by")
Linked = dict[tuple[str, str], dict[str, frappe._dict]]  # by recipient type and link field, then by name


class FieldCondition(ConditionKind):
	"""A field of the recipient's own record costs no query: the dispatch has read the record."""

	test = FieldTest

	def describe(self, test: FieldTest) -> str:
		parts = [label_field(test.link)] if test.link else []
		parts.append(label_field(test.field, "" if test.link else test.doctype))
		name = " → ".join(parts)
		if test.operator == "is":
			return f"{name} {_('is set') if test.value == 'set' else _('is not set')}"
		is_list = test.operator in ("in", "not in", "Between")
		value = ", ".join(map(str, as_list(test.value))) if is_list else test.value
		return f"{name} {_(test.operator)} {value}"

	def find_missing_field(self, test: FieldTest) -> str | None:
		types = available_types()
		if test.doctype and test.doctype not in types:
			return _("A condition asks about {0}, which isn't a recipient type.").format(test.doctype)
		doctypes = [test.doctype] if test.doctype else types
		if not test.link:
			return find_missing_field(test.field, doctypes)
		targets = [target for doctype in doctypes if (target := _follow(doctype, test.link))]
		return find_missing_field(test.field, targets) if targets else _say_missing(test.link, doctypes)

	def find_forbidden(self, test: FieldTest, rights: FieldRights) -> Iterator[str]:
		doctypes = [test.doctype] if test.doctype else available_types()
		field = test.link or test.field
		yield from find_unreadable_field(field, doctypes, rights)
		for doctype in doctypes if test.link else ():
			target = _follow(doctype, test.link)
			if target and not frappe.has_permission(target, "read"):
				sentence = _("You may not read {0}, which a condition asks about. Remove the condition.")
				yield sentence.format(_(target))
			elif target:
				yield from find_unreadable_field(test.field, [target], rights)

	def load(self, batch) -> Linked:
		"""Load the records to which the recipients link, with the fields that are asked for."""
		wanted: dict[str, set[str]] = defaultdict(set)
		for test in batch.tests_of(FieldTest):
			if test.link:
				wanted[test.link].add(test.field)
		return {
			(doctype, link): _load_linked(batch, doctype, link, fields)
			for doctype in {doctype for doctype, _name in batch.recipients}
			for link, fields in wanted.items()
			if frappe.get_meta(doctype).has_field(link)
		}


def _load_linked(batch, doctype: str, link: str, fields: set[str]) -> dict[str, frappe._dict]:
	"""Return the linked records that the campaign may read; another one counts as empty."""
	target = frappe.get_meta(doctype).get_field(link).options
	known = [field for field in fields if field in frappe.get_meta(target).get_valid_columns()]
	names = {one.fields.get(link) for (type_, _name), one in batch.recipients.items() if type_ == doctype}
	for field in known:
		batch.rights.check(target, field)
	readable = sorted(batch.rights.filter_records(target, [name for name in names if name]))
	rows = select_in(target, ["name", *known], "name", readable)
	return {row.name: row for row in rows}


def label_field(field: str, doctype: str = "") -> str:
	"""Return the label of a field, or its name in words if no DocType is given."""
	if doctype and frappe.db.exists("DocType", doctype):
		return _(frappe.get_meta(doctype).get_label(field) or field)
	return _(frappe.unscrub(field))


def find_missing_field(field: str, doctypes: list[str], types: tuple[str, ...] = ()) -> str | None:
	"""Return the sentence about a field that none of the DocTypes has, or not of one of these types; None if one has it."""
	if any(_has(doctype, field, types) for doctype in doctypes):
		return None
	return _say_missing(field, doctypes)


def find_unreadable_field(field: str, doctypes: list[str], rights: FieldRights) -> Iterator[str]:
	"""Yield the sentence about a field that the campaign may read of none of the DocTypes that have it."""
	having = [doctype for doctype in doctypes if _has(doctype, field)]
	if having and not any(field in rights.of(doctype) for doctype in having):
		yield rights.explain(having[0], field)


def _say_missing(field: str, doctypes: list[str]) -> str:
	sentence = _("{1} has no field {0}. Change the condition, or what the step waits for.")
	return sentence.format(field, _(" or ").join(map(_, doctypes)))


def _follow(doctype: str, link: str) -> str | None:
	field = frappe.get_meta(doctype).get_field(link)
	return field.options if field and field.fieldtype == "Link" else None


def _has(doctype: str, fieldname: str, types: tuple[str, ...] = ()) -> bool:
	meta = frappe.get_meta(doctype)
	if types:
		field = meta.get_field(fieldname)
		return fieldname in ("creation", "modified") or bool(field and field.fieldtype in types)
	return fieldname in STANDARD_FIELDS or fieldname in meta.get_valid_columns()
