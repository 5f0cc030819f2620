"""Target lists as the Desk and integrators use them: refresh, cancel, how it stands, put on a campaign. For signed-in users."""

import json

import frappe
from frappe import _

from drip_campaigns.api.errors import explained, require_reason
from drip_campaigns.core.errors import DripError
from drip_campaigns.enrollment.list_membership import MEMBER, record_list_opt_in, record_list_opt_out
from drip_campaigns.jobs import first_refresh, refresh_lists
from drip_campaigns.lists import by_hand, overview, refreshes
from drip_campaigns.lists.check import find_everybody
from drip_campaigns.lists.include_list import include
from drip_campaigns.site.clock import utc_now


@frappe.whitelist(methods=["POST"])
@explained
def refresh_list(target_list: str) -> dict:
	"""Ask the sources of a list again, in the background; return the run."""
	return {"run": refresh_lists.start(_get(target_list, "write").name, utc_now())}


@frappe.whitelist(methods=["POST"])
@explained
def cancel_refresh(target_list: str) -> dict:
	"""Stop a refresh that is under way. Who was put on the list stays, and nobody drops out."""
	refresh_lists.cancel(_get(target_list, "write").name)
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def resume_refresh(run: str) -> dict:
	"""Let a refresh that failed or was cancelled go on where it stopped."""
	_get(frappe.get_doc(refreshes.DOCTYPE, run).target_list, "write")
	refresh_lists.resume(run)
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def confirm_first_refresh(run: str, enroll: bool) -> dict:
	"""Say whether those whom the first refresh of a list has brought shall be enrolled; return how many they are."""
	document = frappe.get_doc(refreshes.DOCTYPE, run)
	_get(document.target_list, "write")
	for trigger in refreshes.find_waiting(document.target_list) if enroll else ():
		frappe.get_doc("Drip Campaign", trigger.parent).check_permission("write")
	return {"count": first_refresh.answer(document, enroll=enroll)}


@frappe.whitelist(methods=["POST"])
@explained
def add_to_list(target_list: str, recipient_type: str, names: str) -> dict:
	"""Put records on a list by hand, up to 5,000 (`names`: JSON); return how many joined, and what became of the others."""
	frappe.has_permission(MEMBER, "create", throw=True)
	return by_hand.add_records(_get(target_list, "read").name, recipient_type, names, utc_now())


@frappe.whitelist(methods=["GET"])
def get_list_state(target_list: str) -> dict:
	"""Return how many are on a list, by what, and how its latest refresh stands."""
	return overview.describe(_get(target_list, "read"))


@frappe.whitelist(methods=["POST"])
@explained
def find_everybody_in(sources: str) -> dict:
	"""Return the type and the number of records, if the filters of a list's rows (JSON) match all there are."""
	frappe.has_permission("Drip Target List", "create", throw=True)
	found = find_everybody(frappe.get_doc(doctype="Drip Target List", sources=_read_rows(sources)))
	return {"recipient_type": found[0], "count": found[1]} if found else {}


@frappe.whitelist(methods=["POST"])
@explained
def include_list(target_list: str, campaign: str, when_left: str = "End") -> dict:
	"""Include a list in a campaign; return how many of which type are on it already, for `backfill_existing`."""
	_get(target_list, "read")
	document = frappe.get_doc("Drip Campaign", campaign)
	document.check_permission("write")
	return include(target_list, document, when_left)


@frappe.whitelist(methods=["POST"])
@explained
def remove_from_list(member: str, because: str) -> dict:
	"""Let a person leave a list who asks for it; `because` says who did, and how."""
	document = _get_member(member)
	record_list_opt_out(document, require_reason(because), utc_now())
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def restore_to_list(member: str, because: str) -> dict:
	"""Undo a person's leaving of a list, for a person who asks; `because` says who did, and how."""
	document = _get_member(member)
	record_list_opt_in(document, require_reason(because), utc_now())
	return {}


def _get_member(name: str):
	document = frappe.get_doc(MEMBER, name)
	document.check_permission("write")
	return document


def _get(target_list: str, permission: str):
	document = frappe.get_doc("Drip Target List", target_list)
	document.check_permission(permission)
	return document


def _read_rows(text: str) -> list[dict]:
	try:
		rows = json.loads(text)
	except ValueError as error:
		raise DripError(_("The sources cannot be read: {0}. Send a JSON list.").format(error)) from error
	if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
		raise DripError(_("The sources cannot be read. Send a JSON list of rows."))
	fields = ("kind", "recipient_type", "filters")
	return [{field: row.get(field) for field in fields} for row in rows]
