"""A field of a record gets a value."""

from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.flow.field_values import as_type, is_empty, is_same
from drip_campaigns.db.amendments import has_amendments, not_canceled
from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import (
	Filters,
	TriggerKind,
	is_new,
	load_before,
	make_firing,
	name_field,
	name_type,
)

OF_CANCELING = ("docstatus", "status", "workflow_state")  # canceling a document can set these to the value


class FieldReachedValue(TriggerKind):
	"""Enrolls the record itself, each time when its field changes to the value."""

	label = "Field Reached Value"
	needed = ("field_name", "recipient_type")
	optional = ("field_value",)
	is_portable = True
	can_loop = True

	def describe(self, row) -> str:
		if row.field_value:
			sentence = _("When {0} of a {1} becomes {2}")
			return sentence.format(name_field(row), name_type(row), row.field_value)
		return _("When {0} of a {1} gets another value").format(name_field(row), name_type(row))

	def match(self, document, trigger) -> Firing | None:
		before = load_before(document)
		if not before and not is_new(document):
			return None  # nobody knows what it was
		field = document.meta.get_field(trigger.field_name)
		fieldtype = field.fieldtype if field else "Data"
		value = document.get(trigger.field_name)
		old = before.get(trigger.field_name) if before else _load_replaced(document, trigger.field_name)
		if not is_value(value, trigger.field_value, fieldtype) or is_same(old, value, fieldtype):
			return None
		return make_firing(document, trigger, f"{value} {document.modified}")

	def find_existing(self, trigger, doctype: str) -> Filters:
		condition = ["=", trigger.field_value] if trigger.field_value else ["is", "set"]
		canceled = [] if trigger.field_name in OF_CANCELING else not_canceled(doctype)
		return [[doctype, trigger.field_name, *condition], *canceled]


def _load_replaced(document, fieldname: str) -> Any:
	"""Return the value in the document that an amended one replaces; None for any other."""
	replaced = document.get("amended_from") if has_amendments(document.doctype) else None
	return frappe.db.get_value(document.doctype, replaced, fieldname) if replaced else None


def is_value(value: Any, wanted: str | None, fieldtype: str) -> bool:
	"""Return whether a field has the value `wanted`, as the database compares; without one, whether it has any value."""
	if not wanted:
		return not is_empty(as_type(value, fieldtype))
	return is_same(value, wanted, fieldtype)
