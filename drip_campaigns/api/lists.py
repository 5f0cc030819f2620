"""Target lists for Desk and integrators: refresh, cancel, state, and inclusion in a campaign. For signed-in users."""

import json

import frappe
from frappe import _

from drip_campaigns.api.errors import explained, require_reason
from drip_campaigns.core.errors import DripError
from drip_campaigns.enrollment.list_membership import MEMBER, record_list_opt_in, record_list_opt_out
from drip_campaigns.jobs import first_refresh, refresh_lists
from drip_campaigns.lists import overview, refreshes
from drip_campaigns.lists.add_members import add_records
from drip_campaigns.lists.check import find_everybody
from drip_campaigns.lists.include_list import include
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.dry_run import try_out


@frappe.whitelist(methods=["POST"])
@explained
def refresh_list(target_list: str) -> dict:
	"""Refresh a list from its sources, in the background; return the run."""
	return {"run": refresh_lists.start(_get(target_list, "write").name, utc_now())}


@frappe.whitelist(methods=["POST"])
@explained
def cancel_refresh(target_list: str) -> dict:
	"""Cancel a running refresh. Added members stay, and no member is removed."""
	refresh_lists.cancel(_get(target_list, "write").name)
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def resume_refresh(run: str) -> dict:
	"""Resume a failed or canceled refresh where it stopped."""
	_get(frappe.get_doc(refreshes.DOCTYPE, run).target_list, "write")
	refresh_lists.resume(run)
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def confirm_first_refresh(run: str, enroll: bool) -> dict:
	"""Enroll the members that a list's first refresh added, or do not; return their number."""
	document = frappe.get_doc(refreshes.DOCTYPE, run)
	_get(document.target_list, "write")
	for trigger in refreshes.find_waiting(document.target_list) if enroll else ():
		frappe.get_doc("Drip Campaign", trigger.parent).check_permission("write")
	return {"count": first_refresh.answer(document, enroll=enroll)}


@frappe.whitelist(methods=["POST"])
@explained
def add_to_list(target_list: str, recipient_type: str, names: str) -> dict:
	"""Add up to 5,000 records to a list (`names`: JSON); return how many joined, and why others did not."""
	frappe.has_permission(MEMBER, "create", throw=True)
	return add_records(_get(target_list, "read").name, recipient_type, names, utc_now())


@frappe.whitelist(methods=["POST"])
@explained
def preview_add(target_list: str, recipient_type: str, names: str) -> dict:
	"""Return what `add_to_list` would return. Changes nothing."""
	return try_out(lambda: add_to_list(target_list, recipient_type, names))


@frappe.whitelist(methods=["GET"])
def get_list_state(target_list: str) -> dict:
	"""Return the number of members by type, and the state of the latest refresh."""
	return overview.describe(_get(target_list, "read"))


@frappe.whitelist(methods=["POST"])
@explained
def find_everybody_in(sources: str) -> dict:
	"""Return the type and number of records, if the filters of a list's rows (JSON) match all records."""
	frappe.has_permission("Drip Target List", "create", throw=True)
	found = find_everybody(frappe.get_doc(doctype="Drip Target List", sources=_read_rows(sources)))
	return {"recipient_type": found[0], "count": found[1]} if found else {}


@frappe.whitelist(methods=["POST"])
@explained
def include_list(target_list: str, campaign: str, when_left: str = "End") -> dict:
	"""Include a list in a campaign; return how many of its members can be enrolled, by type, for `backfill_existing`."""
	_get(target_list, "read")
	document = frappe.get_doc("Drip Campaign", campaign)
	document.check_permission("write")
	return include(target_list, document, when_left, utc_now())


@frappe.whitelist(methods=["POST"])
@explained
def remove_from_list(member: str, because: str) -> dict:
	"""Opt a person out of a list at their request; `because` says who asked, and how."""
	document = _get_member(member)
	record_list_opt_out(document, require_reason(because), utc_now())
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def restore_to_list(member: str, because: str) -> dict:
	"""Undo a person's opt-out of a list at their request; for users who may lift suppressions, with the proof in `because`."""
	frappe.has_permission("Drip Suppression", "write", throw=True)
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
	except (ValueError, RecursionError) as error:
		raise DripError(_("The sources cannot be read: {0}. Send a JSON list.").format(error)) from error
	if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
		raise DripError(_("The sources cannot be read. Send a JSON list of rows."))
	fields = ("kind", "recipient_type", "filters")
	return [{field: row.get(field) for field in fields} for row in rows]
