"""The notice on a recipient's form that its address is suppressed, and why."""

import frappe
from frappe import _
from frappe.utils import cstr

from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.people.addresses import hash_address
from drip_campaigns.people.recipient_types import is_type
from drip_campaigns.people.recipients import load_recipients
from drip_campaigns.people.suppression import DOCTYPE, explain_suppression
from drip_campaigns.site.error_log import log_failure


def show_suppression(document, _event: str | None = None) -> None:
	"""Add a suppression to a recipient's form as it opens, if the user may read it."""
	if document.is_new() or not is_type(document.doctype) or not frappe.has_permission(DOCTYPE, "read"):
		return
	try:
		if found := _find(document.doctype, document.name):
			document.set_onload("drip_suppression", found)
	except Exception:  # noqa: BLE001 - an error here must not prevent opening another app's form; it is logged
		log_failure(_("Drip Campaigns could not check whether an address is suppressed"))


def _find(doctype: str, name: str) -> dict | None:
	recipient = load_recipients(doctype, [name]).get(cstr(name))
	if not recipient or not recipient.email:
		return None
	filters = {"name": hash_address(recipient.email), "lifted": 0}
	row = frappe.db.get_value(DOCTYPE, filters, ["name", "reason", "note", "suppressed_at"], as_dict=True)
	if not row:
		return None
	because = explain_suppression(SuppressionReason(row.reason))
	return {
		"name": row.name,
		"address": recipient.email,
		"because": because,
		"note": row.note,
		"at": row.suppressed_at,
	}
