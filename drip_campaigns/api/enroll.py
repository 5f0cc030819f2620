"""Preview and start enrolling, and explain why a record is not enrolled. For signed-in users."""

import frappe

from drip_campaigns.api.errors import explained
from drip_campaigns.enrollment.file_audience import preview_file
from drip_campaigns.enrollment.preview import preview_audience
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.people.people_file import PeopleFile
from drip_campaigns.people.recipient_types import get_type
from drip_campaigns.site.clock import utc_now
from drip_campaigns.triggers.why_not import explain

AT_ONCE = 200  # records that are enrolled within the request; a background job enrolls more


@frappe.whitelist(methods=["POST"])
@explained
def preview_enrollment(campaign: str, recipient_type: str, filters: str = "[]") -> dict:
	"""Return how many records of an audience would be enrolled, how many not and why, and ten of them. Writes nothing."""
	_check_rights(campaign, recipient_type)
	return preview_audience(campaign, recipient_type, filters, utc_now())


@frappe.whitelist(methods=["POST"])
@explained
def enroll_records(
	campaign: str,
	recipient_type: str,
	filters: str = "[]",
	start_date: str | None = None,
	sender: str | None = None,
	per_day: int = 0,
	confirmed_count: int = 0,
) -> dict:
	"""Enroll an audience by list filters (ticked rows: name in ...): a few within the request, many in the background.

	Returns the Drip Bulk Enrollment's name, status and figures; without `per_day`, of few records the final figures.
	"""
	_check_rights(campaign, recipient_type)
	run = bulk_enrollment.insert_run(
		campaign,
		recipient_type,
		start_date,
		recipient_filters=filters,
		sender=sender,
		per_day=per_day,
		confirmed_count=confirmed_count,
	)
	return _start(run)


@frappe.whitelist(methods=["POST"])
@explained
def explain_enrollment(campaign: str, recipient_type: str, recipient: str, filters: str = "[]") -> dict:
	"""Explain by rule, filter and trigger whether a record would be enrolled, and why not. Writes nothing."""
	_check_rights(campaign, recipient_type)
	return explain(campaign, recipient_type, recipient, utc_now(), filters)


@frappe.whitelist(methods=["POST"])
@explained
def read_people_file(file_url: str) -> dict:
	"""Return the headings of an uploaded file, its first rows, how many there are, and what the columns seem to hold."""
	frappe.has_permission("Drip Enrollment", "create", throw=True)
	file = PeopleFile(file_url)
	return {
		"headings": file.headings,
		"lines": [line.cells for line in file.lines[:5]],
		"count": len(file.lines),
		"mapping": file.guess_mapping(),
	}


@frappe.whitelist(methods=["POST"])
@explained
def preview_people_file(
	campaign: str, recipient_type: str, file_url: str, mapping: str, create_missing: bool = False
) -> dict:
	"""Return what enrolling a file would do, with the errors by row: a dry run that writes nothing."""
	_check_rights(campaign, recipient_type)
	return preview_file(campaign, recipient_type, file_url, mapping, create_missing, utc_now())


@frappe.whitelist(methods=["POST"])
@explained
def enroll_people_file(
	campaign: str,
	recipient_type: str,
	file_url: str,
	mapping: str,
	create_missing: bool = False,
	start_date: str | None = None,
	sender: str | None = None,
	per_day: int = 0,
) -> dict:
	"""Enroll the people of a file; with `create_missing`, create missing records with the caller's rights."""
	_check_rights(campaign, recipient_type)
	run = bulk_enrollment.insert_run(
		campaign,
		recipient_type,
		start_date,
		source_file=file_url,
		column_mapping=mapping,
		create_missing=create_missing,
		sender=sender,
		per_day=per_day,
	)
	return _start(run)


def _start(run) -> dict:
	if run.total <= AT_ONCE:
		bulk_enrollment.run(run.name)
		run.reload()
	else:
		bulk_enrollment.enqueue(run.name)
	return {
		key: run.get(key) for key in ("name", "status", "total", "enrolled", "refused", "reasons", "error")
	}


def _check_rights(campaign: str, recipient_type: str) -> None:
	frappe.has_permission("Drip Enrollment", "create", throw=True)
	frappe.get_doc("Drip Campaign", campaign).check_permission("read")
	get_type(recipient_type)
