"""Fire triggers when a record is created or changed: the target of the hook `doc_events`."""

import frappe

from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.doc_event_guard import is_silent, log_doc_event_failure
from drip_campaigns.triggers.firings import record_firings
from drip_campaigns.triggers.kind import WEB_FORMS
from drip_campaigns.triggers.match import find_firings
from drip_campaigns.triggers.trigger_cache import find_watching

SAVE_POINT = "drip_triggers"


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
	firings = list(find_firings(document, watching))
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
