"""What happens to enrollments when a record of another app is made or changed: the targets of `doc_events`."""

import frappe
from frappe import _

from drip_campaigns.core.consent import ConsentTo
from drip_campaigns.enrollment.ending import end_live_of
from drip_campaigns.enrollment.personal_data import erase
from drip_campaigns.enrollment.suppress import mark_newcomer
from drip_campaigns.error_log import log_failure
from drip_campaigns.site_clock import to_site, utc_now
from drip_campaigns.tracking.consents import withdraw_consent
from drip_campaigns.triggers.firings import record
from drip_campaigns.triggers.match import find_firings
from drip_campaigns.triggers.table import WEB_FORMS, find_watching

SAVE_POINT = "drip_triggers"


def leave_when_unsubscribed(document, _event: str | None = None) -> None:
	"""An Email Unsubscribe was made, by our page or in any other way: nothing more leaves, what is queued included.

	One that refers to something else than a campaign or the whole site is none of our business.
	"""
	if document.global_unsubscribe:
		end_live_of(document.email, None, utc_now())
		withdraw_consent(ConsentTo.CAMPAIGN, document.email, None, utc_now())
	elif document.reference_doctype == "Drip Campaign":
		end_live_of(document.email, document.reference_name, utc_now())
		withdraw_consent(ConsentTo.CAMPAIGN, document.email, document.reference_name, utc_now())


def erase_with_account(document, _event: str | None = None) -> None:
	"""A Personal Data Deletion Request is being carried out: erase what is ours, before Frappe overwrites the address.

	Frappe writes its list of steps into the request first (personal_data_deletion_request.py, add_deletion_steps).
	"""
	before = document.get_doc_before_save()
	if document.deletion_steps and not (before and before.deletion_steps):
		erase(document.email, utc_now(), source=f"{document.doctype} {document.name}")


def note_change(document, _event: str | None = None) -> None:
	"""A record of any DocType was saved: write down which triggers it fires. Costs one look-up where there is none.

	Nobody is enrolled here, and the save goes on whatever happens; only what has already undone the whole
	transaction (a deadlock) is passed on.
	"""
	if document.doctype == "Error Log" or document.flags.in_delete or _is_silent():
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
		_log(error, document)


def mark_opted_out(document, _event: str | None = None) -> None:
	"""A record is saved whose flag says who gets no mail: keep it in step with what its address has opted out of."""
	if _is_silent():
		return
	try:
		mark_newcomer(document)
	except frappe.QueryDeadlockError:
		raise
	except Exception as error:  # noqa: BLE001 - an error of ours never stops a save; it is logged
		_log(error, document)


def _is_silent() -> bool:
	"""Say whether nothing fires now: while the site itself is built or changed, or when a script asks for it."""
	flags = frappe.flags
	return bool(flags.drip_no_triggers or flags.in_install or flags.in_migrate or flags.in_uninstall)


def _find_form_triggers(document) -> list[frappe._dict]:
	return [row for row in find_watching(WEB_FORMS) if row.recipient_type == document.doctype]


def _record_firings(document, watching: list[frappe._dict]) -> None:
	firings = list(find_firings(document, watching))
	if not firings:
		return
	frappe.db.savepoint(SAVE_POINT)
	try:
		record(firings, to_site(utc_now()))
	except frappe.QueryDeadlockError:
		raise
	except Exception:
		frappe.db.rollback(save_point=SAVE_POINT)
		raise


def _log(error: Exception, document) -> None:
	if frappe.db.is_table_missing(error) or frappe.db.is_missing_column(error):
		return  # the app was updated, and the site is not migrated yet
	log_failure(_("Drip Campaigns could not look at {0} {1}").format(document.doctype, document.name))
