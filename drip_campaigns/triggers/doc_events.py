"""Fire triggers when a record is created or changed: the target of the hook `doc_events`."""

import json
from collections.abc import Iterator, Sequence

import frappe
from frappe.utils import cstr

from drip_campaigns.core.flow.field_values import is_same
from drip_campaigns.core.flow.goals import GOAL
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.doc_event_guard import is_silent, log_doc_event_failure
from drip_campaigns.triggers.firings import Firing, record_firings
from drip_campaigns.triggers.kind import WEB_FORMS, make_firing
from drip_campaigns.triggers.registry import TRIGGER_KINDS
from drip_campaigns.triggers.trigger_cache import find_watching

SAVE_POINT = "drip_triggers"
SUBMITTED = 1


def fire_on_change(document, _event: str | None = None) -> None:
	"""Record which triggers a saved record of any DocType fires. Without a trigger, this costs one look-up.

	Enrolls nobody. An error is logged and does not stop the save. Only a deadlock is raised again: the database has
	already rolled back the whole transaction.
	"""
	if document.doctype == "Error Log" or document.flags.in_delete or is_silent():
		return
	try:
		watching = find_watching(document.doctype)
		if frappe.flags.in_web_form:
			watching = watching + _find_form_triggers(document)
		if watching:
			_record_firings(document, watching)
	except frappe.QueryDeadlockError:
		raise
	except Exception as error:  # noqa: BLE001 - an error of ours never stops a save; it is logged
		log_doc_event_failure(error, document)


def _find_form_triggers(document) -> list[frappe._dict]:
	return [row for row in find_watching(WEB_FORMS) if row.recipient_type == document.doctype]


def _record_firings(document, watching: list[frappe._dict]) -> None:
	firings = list(_find_firings(document, watching))
	if not firings:
		return
	frappe.db.savepoint(SAVE_POINT)
	try:
		record_firings(firings, to_site(utc_now()))
	except frappe.QueryDeadlockError:
		raise
	except Exception:
		frappe.db.rollback(save_point=SAVE_POINT)
		raise


def _find_firings(document, triggers: Sequence[frappe._dict]) -> Iterator[Firing]:
	"""Yield a firing for each of `triggers` that a change of `document` fires. They watch its DocType.

	Looks at the record alone, without a query: the user who saves it waits.
	"""
	for trigger in triggers:
		if trigger.ignore_imports and frappe.flags.in_import:
			continue
		if trigger.kind == GOAL:
			if _may_reach_goal(document, trigger):
				yield make_firing(document, trigger, cstr(document.modified))
		elif firing := TRIGGER_KINDS.get(trigger.kind).match(document, trigger):
			yield firing


def _may_reach_goal(document, trigger: frappe._dict) -> bool:
	"""Compare only what must be equal; the job asks the database for the rest."""
	if document.meta.is_submittable and document.docstatus != SUBMITTED:
		return False
	own = [row for row in json.loads(trigger.filters or "[]") if row[0] == document.doctype and row[2] == "="]
	return all(is_same(document.get(row[1]), row[3], _type_of(document, row[1])) for row in own)


def _type_of(document, fieldname: str) -> str:
	field = document.meta.get_field(fieldname)
	return field.fieldtype if field else "Data"
