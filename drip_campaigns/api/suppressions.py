"""Import the opt-outs of another tool. For users who may create suppressions: Drip Managers."""

import frappe
from frappe import _

from drip_campaigns.api.errors import explained
from drip_campaigns.core.errors import DripError
from drip_campaigns.enrollment import opt_out_file
from drip_campaigns.jobs import import_opt_outs as job
from drip_campaigns.people.people_file import PeopleFile
from drip_campaigns.people.suppression import DOCTYPE

AT_ONCE = 200  # addresses that are suppressed within the request; a background job suppresses more


@frappe.whitelist(methods=["POST"])
@explained
def read_opt_out_file(file_url: str) -> dict:
	"""Return the headings of an uploaded file, and which one seems to be the email address."""
	_check_rights()
	file = PeopleFile(file_url)
	return {"headings": file.headings, "email_address": file.guess_mapping().get("email_address", "")}


@frappe.whitelist(methods=["POST"])
@explained
def preview_opt_outs(file_url: str, mapping: str) -> dict:
	"""Return how many addresses an import would suppress, and the errors by row. Writes nothing."""
	_check_rights()
	return opt_out_file.preview_opt_outs(file_url, mapping)


@frappe.whitelist(methods=["POST"])
@explained
def import_opt_outs(file_url: str, mapping: str, note: str, reason: str = "Opted Out") -> dict:
	"""Suppress the addresses of a file: a few within the request, many in the background.

	`note` says where the file comes from: the proof of each suppression. Returns the counts, or `is_running`.
	"""
	_check_rights()
	opt_out_file.read_reason(reason)
	if not note.strip():
		raise DripError(
			_("Enter in Note which tool the file comes from, and when. This is your proof later.")
		)
	found = opt_out_file.read_opt_outs(file_url, mapping)
	if found.problem:
		raise DripError(found.problem)
	if len(found.rows) > AT_ONCE:
		job.enqueue(file_url, mapping, reason, note)
		return {"is_running": True}
	return job.run(file_url, mapping, reason, note, notifies=False)


def _check_rights() -> None:
	frappe.has_permission(DOCTYPE, "create", throw=True)
