"""Which triggers a saved record fires. Looks at the record alone, without a query: the user who saves it waits."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import frappe
from frappe.utils import cstr, flt

from drip_campaigns.core.flow.goals import GOAL
from drip_campaigns.core.flow.triggers import TriggerKind, is_tag
from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.trigger_cache import WATCHED

SUBMITTED = 1
FRACTIONS = ("Currency", "Float", "Percent")  # which hold 100.0 where somebody has typed 100


def find_firings(document, triggers: Sequence[frappe._dict]) -> Iterator[Firing]:
	"""Yield a firing for each of `triggers`, which watch the DocType of `document`, that its change fires."""
	for trigger in triggers:
		if trigger.ignore_imports and frappe.flags.in_import:
			continue
		if trigger.kind == GOAL:
			if _reaches_goal(document, trigger):
				yield Firing(trigger, document.doctype, cstr(document.name), cstr(document.modified))
			continue
		kind = TriggerKind(trigger.kind)
		occurrence = _RULES[kind](document, trigger)
		if occurrence is None:
			continue
		if kind is TriggerKind.TAG_ADDED:
			yield Firing(trigger, document.document_type, document.document_name, occurrence)
		else:
			yield Firing(trigger, document.doctype, cstr(document.name), occurrence)


def _reaches_goal(document, trigger: frappe._dict) -> bool:
	"""Say whether a record may reach a goal: by what must be equal; the job asks the database for the rest."""
	if document.meta.is_submittable and document.docstatus != SUBMITTED:
		return False
	own = [row for row in json.loads(trigger.filters or "[]") if row[0] == document.doctype and row[2] == "="]
	return all(cstr(document.get(row[1])).casefold() == cstr(row[3]).casefold() for row in own)


def _is_new(document) -> bool:
	return bool(document.flags.in_insert)


def _created(document, trigger: frappe._dict) -> str | None:
	return "created" if _is_new(document) else None


def _reached_value(document, trigger: frappe._dict) -> str | None:
	before = None if _is_new(document) else document.get_doc_before_save()
	if not before and not _is_new(document):
		return None  # nobody knows what it was
	old = cstr(before.get(trigger.field_name)) if before else ""
	value = document.get(trigger.field_name)
	field = document.meta.get_field(trigger.field_name)
	is_wanted = is_value(value, trigger.field_value, field.fieldtype if field else "Data")
	return f"{value} {document.modified}" if is_wanted and cstr(value) != old else None


def is_value(value: Any, wanted: str | None, fieldtype: str) -> bool:
	"""Say whether a field holds what a trigger waits for, as the database compares; nothing named is any value but none."""
	if not wanted:
		return bool(value)
	if fieldtype in FRACTIONS:
		try:
			return flt(value) == float(wanted)
		except ValueError:
			return False
	return cstr(value).strip().casefold() == wanted.strip().casefold()


def _tagged(document, trigger: frappe._dict) -> str | None:
	is_one = _is_new(document) and trigger.recipient_type in (None, "", document.document_type)
	return document.name if is_one and is_tag(trigger.tag, document.tag) else None


def _joined_group(document, trigger: frappe._dict) -> str | None:
	"""A member is new, or came back after having left the group."""
	before = None if _is_new(document) else document.get_doc_before_save()
	came = _is_new(document) or (before and before.unsubscribed and not document.unsubscribed)
	is_one = trigger.email_group in (None, "", document.email_group)
	return cstr(document.modified) if came and is_one and not document.unsubscribed else None


def _joined_list(document, trigger: frappe._dict) -> str | None:
	"""A member is new on the list, or was taken back after having opted out."""
	before = None if _is_new(document) else document.get_doc_before_save()
	came = _is_new(document) or (before and before.opted_out and not document.opted_out)
	is_one = trigger.target_list in (None, "", document.target_list)
	return cstr(document.modified) if came and is_one and not document.opted_out else None


def _purchased(document, trigger: frappe._dict) -> str | None:
	"""A sale, not a return, was submitted; which items it has is asked later, for all at once."""
	before = None if _is_new(document) else document.get_doc_before_save()
	was_submitted = before.docstatus == SUBMITTED if before else False
	is_sale = not document.get("is_return") and document.get("payment_type", "Receive") == "Receive"
	return "submitted" if document.docstatus == SUBMITTED and not was_submitted and is_sale else None


def _submitted_form(document, trigger: frappe._dict) -> str | None:
	name = frappe.form_dict.get("web_form")
	return f"form {name}" if _is_new(document) and trigger.web_form in (None, "", name) else None


def _received(document, trigger: frappe._dict) -> str | None:
	is_mail = document.communication_type == "Communication" and document.sent_or_received == "Received"
	is_one = _is_new(document) and is_mail and document.email_account == trigger.email_account
	return "received" if is_one and document.sender else None


def _never(document, trigger: frappe._dict) -> str | None:
	return None  # Drip Events are written in batches, never saved one by one


_RULES = {
	TriggerKind.RECORD_CREATED: _created,
	TriggerKind.FIELD_REACHED_VALUE: _reached_value,
	TriggerKind.TAG_ADDED: _tagged,
	TriggerKind.JOINED_EMAIL_GROUP: _joined_group,
	TriggerKind.JOINED_TARGET_LIST: _joined_list,
	TriggerKind.PURCHASE: _purchased,
	TriggerKind.WEB_FORM_SUBMITTED: _submitted_form,
	TriggerKind.EMAIL_RECEIVED: _received,
	**{kind: _never for kind, doctype in WATCHED.items() if doctype == "Drip Event"},
}
