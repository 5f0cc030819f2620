"""Copy and erase what is stored about the person with an address. Nothing here commits.

hooks.py (`user_data_fields`) lists the DocTypes with an address; Frappe's own requests read it as well.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Table

from drip_campaigns.core.model import ConsentPurpose, SuppressionReason
from drip_campaigns.db.bulk_writes import delete_rows, set_values
from drip_campaigns.db.single_writes import write_values
from drip_campaigns.enrollment import address_change
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.people.addresses import normalize, spellings
from drip_campaigns.people.consent_records import withdraw_consent
from drip_campaigns.people.opt_outs import erase_comments
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.messages import as_html, bold
from drip_campaigns.site.notify import find_managers, notify

APP = "drip_campaigns"
_AROUND = r"(?<![\w.+-]){}(?![\w-]|\.\w)"  # an address, and not the end or the beginning of another one
KEPT_ANONYMOUS: dict[str, dict[str, Any]] = {
	# Rows that count in the results of a campaign: the fields that identify the person are cleared.
	"Drip Enrollment": {
		"email_address": None,
		"recipient": None,
		"recipient_name": "—",
		"last_error": None,
		"unsubscribe_reason": None,
	},
	"Drip Email": {
		"email_address": None,
		"recipient": None,
		"subject": None,
		"message_id": None,
		"thread": None,
		"address_hash": None,
		"error": None,
		"email_queue": None,
	},
	"Drip Event": {"email_address": None, "detail": None},
	"Communication": {"subject": "—", "content": None, "text_content": None, "recipients": None},
	# The proof of consent stays, and can be found by someone who knows the address.
	"Drip Consent": {"email_address": None, "recipient": None, "enrollment": None},
	"Drip Suppression": {"email_address": None, "note": None, "flagged_records": None},
}


def collect(address: str, now: datetime) -> dict[str, Any]:
	"""Return what is stored about the person with `address`, for people to read: labels, and no empty fields."""
	copy: dict[str, Any] = {
		_("Email address"): normalize(address),
		_("Copied at"): str(to_site(now).replace(microsecond=0)),
	}
	for doctype in _doctypes():
		rows = [_readable(doctype, row) for row in _rows_of(doctype, address)]
		if rows:
			copy[_(doctype)] = rows
	return copy


def erase(address: str, now: datetime, *, source: str) -> None:
	"""Erase the person with `address`. The opt-out and the consent records stay, under a hash.

	Cancels what is queued, anonymizes the rows that results count, and deletes the rest. Records of other apps (a
	Contact, a Lead) stay: managers are notified which. Idempotent.
	"""
	suppress(address, SuppressionReason.OPTED_OUT, now, source=source)
	for consent_to in ConsentPurpose:
		withdraw_consent(consent_to, address, None, now)
	enrollments = _rows_of("Drip Enrollment", address)
	_erase_mail(_rows_of("Drip Email", address), now)
	_tell_managers(enrollments)
	for doctype in _doctypes():
		names = [row.name for row in _rows_of(doctype, address)]
		_forget_traces(doctype, names)
		if doctype in KEPT_ANONYMOUS:
			set_values(doctype, names, KEPT_ANONYMOUS[doctype], to_site(now))
		else:
			delete_rows(doctype, names)
	_forget_firings(enrollments)
	_forget_in_runs(address)
	address_change.delete_requests_to(address)
	erase_comments(address)
	frappe.db.delete("Email Unsubscribe", _left_campaigns(address))


def delete_enrollments(names: Sequence[str], now: datetime) -> None:
	"""Anonymize ended enrollments; the rows that results count stay."""
	among = ["in", list(names)]
	_erase_mail(frappe.get_all("Drip Email", filters={"enrollment": among}, fields=["*"]), now)
	for doctype, key in (
		("Drip Email", "enrollment"),
		("Drip Event", "enrollment"),
		("Drip Enrollment", "name"),
	):
		rows = frappe.get_all(doctype, filters={key: among}, pluck="name")
		_forget_traces(doctype, rows)
		set_values(doctype, rows, KEPT_ANONYMOUS[doctype], to_site(now))


def _doctypes() -> list[str]:
	return [entry["doctype"] for entry in frappe.get_hooks("user_data_fields", app_name=APP)]


def _rows_of(doctype: str, address: str) -> list[frappe._dict]:
	filters = {"email_address": ["in", spellings(address)]}
	rows = frappe.get_all(doctype, filters=filters, fields=["*"], order_by="creation")
	return [row for row in rows if normalize(row.email_address) == normalize(address)]


def _readable(doctype: str, row: frappe._dict) -> dict[str, str]:
	shown = [
		field for field in frappe.get_meta(doctype).fields if not field.hidden and row.get(field.fieldname)
	]
	return {_(field.label): str(row[field.fieldname]) for field in shown}


def _left_campaigns(address: str) -> dict[str, Any]:
	return {"email": ["in", spellings(address)], "reference_doctype": "Drip Campaign"}


def _erase_mail(mails: Sequence[frappe._dict], now: datetime) -> None:
	"""Erase the text of emails too. An email that is being sent at this moment is settled as usual."""
	queues = [mail.email_queue for mail in mails if mail.email_queue]
	sending = frappe.get_all(
		"Email Queue", filters={"name": ["in", queues], "status": "Sending"}, pluck="name"
	)
	finished = sorted(set(queues) - set(sending))
	delete_rows("Email Queue Recipient", finished, key="parent")
	delete_rows("Email Queue", finished)
	communications = [mail.communication for mail in mails if mail.communication]
	delete_rows("Communication Link", communications, key="parent")
	set_values("Communication", communications, KEPT_ANONYMOUS["Communication"], to_site(now))


def _forget_firings(enrollments: Sequence[frappe._dict]) -> None:
	for doctype in {row.recipient_type for row in enrollments}:
		names = [row.recipient for row in enrollments if row.recipient_type == doctype and row.recipient]
		frappe.db.delete("Drip Trigger Firing", {"record_type": doctype, "record": ["in", names]})


def _forget_in_runs(address: str) -> None:
	"""Erase the address from the errors of bulk enrollments, which quote rows of a file."""
	run = frappe.qb.DocType("Drip Bulk Enrollment")
	for spelled in spellings(address):
		for field in ("row_errors", "reasons"):
			query = frappe.qb.from_(run).select(run.name, run[field]).where(run[field].like(f"%{spelled}%"))
			for name, text in query.run():
				without = re.sub(_AROUND.format(re.escape(spelled)), "—", text, flags=re.IGNORECASE)
				write_values("Drip Bulk Enrollment", name, {field: without})


def _forget_traces(doctype: str, names: Sequence[str]) -> None:
	"""Delete comments and versions of these rows, and their entries in the global search."""
	if not names:
		return
	frappe.db.delete("Comment", {"reference_doctype": doctype, "reference_name": ["in", names]})
	frappe.db.delete("Version", {"ref_doctype": doctype, "docname": ["in", names]})
	search = Table("__global_search")
	frappe.qb.from_(search).delete().where((search.doctype == doctype) & search.name.isin(names)).run()


def _tell_managers(enrollments: Sequence[frappe._dict]) -> None:
	"""Notify managers which records of other apps remain, for them to decide."""
	told = find_managers()
	for doctype, name in dict.fromkeys((row.recipient_type, row.recipient) for row in enrollments):
		if not frappe.db.exists(doctype, name):
			continue
		subject = _("{0} has had all campaign data erased. Delete the record too, if nothing else needs it.")
		subject = as_html(subject, bold(f"{_(doctype)} {name}"))
		frappe.db.after_commit.add(
			lambda subject=subject, doctype=doctype, name=name: notify(told, subject, doctype, name)
		)
