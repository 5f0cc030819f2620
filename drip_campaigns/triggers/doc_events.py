"""What happens to enrollments when a record of another app is made or changed: the targets of `doc_events`."""

import frappe

from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.doc_event_guard import is_silent, log_doc_event_failure
from drip_campaigns.triggers.firings import record_firings
from drip_campaigns.triggers.match import find_firings
from drip_campaigns.triggers.trigger_cache import WEB_FORMS, find_watching

SAVE_POINT = "drip_triggers"


def fire_on_change(document, _event: str | None = None) -> None:
	"""A record of any DocType was saved: write down which triggers it fires. Costs one look-up where there is none.

	Nobody is enrolled here, and the save goes on whatever happens; only what has already undone the whole
	transaction (a deadlock) is passed on.
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
