"""Apply changes of other apps' records to enrollments: opt-outs and erasures (hook `doc_events`)."""

import frappe

from drip_campaigns.core.model import ConsentPurpose
from drip_campaigns.enrollment.exit import exit_address
from drip_campaigns.enrollment.personal_data import erase
from drip_campaigns.enrollment.suppress import apply_to_new_record
from drip_campaigns.people.consent_records import withdraw_consent
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.doc_event_guard import is_silent, log_doc_event_failure


def exit_on_email_unsubscribe(document, _event: str | None = None) -> None:
	"""End enrollments and cancel what is queued when an Email Unsubscribe is inserted, by our page or in another way.

	Ignores one that refers to neither a campaign nor the whole site.
	"""
	if document.global_unsubscribe:
		exit_address(document.email, None, utc_now())
		withdraw_consent(ConsentPurpose.CAMPAIGN, document.email, None, utc_now())
	elif document.reference_doctype == "Drip Campaign":
		exit_address(document.email, document.reference_name, utc_now())
		withdraw_consent(ConsentPurpose.CAMPAIGN, document.email, document.reference_name, utc_now())


def erase_personal_data(document, _event: str | None = None) -> None:
	"""Erase what this app stores when a Personal Data Deletion Request runs, before Frappe overwrites the address.

	Frappe writes its list of steps into the request first (personal_data_deletion_request.py, add_deletion_steps).
	"""
	before = document.get_doc_before_save()
	if document.deletion_steps and not (before and before.deletion_steps):
		erase(document.email, utc_now(), source=f"{document.doctype} {document.name}")


def apply_suppression(document, _event: str | None = None) -> None:
	"""Mark a saved record as unsubscribed if its address has opted out of everything."""
	if is_silent():
		return
	try:
		apply_to_new_record(document)
	except frappe.QueryDeadlockError:
		raise
	except Exception as error:  # noqa: BLE001 - an error of ours never stops a save; it is logged
		log_doc_event_failure(error, document)
