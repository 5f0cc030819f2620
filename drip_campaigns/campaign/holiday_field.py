"""The field Holiday List of a campaign, which exists while ERPNext's DocType Holiday List exists."""

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.plans.holidays import FIELD, HOLIDAY_LIST

CUSTOM_FIELD = {
	"fieldname": FIELD,
	"fieldtype": "Link",
	"label": "Holiday List",
	"options": HOLIDAY_LIST,
	"insert_after": "time_zone",
	"module": "Drip Campaigns",
	"is_system_generated": 1,
	"description": "Choose the days without emails, such as weekends and public holidays; each email moves to the next"
	" allowed day. Leave empty for no holidays.",
}
REPLAN_JOB = "drip_campaigns.jobs.daily.replan_campaign"


def sync_holiday_field() -> None:
	"""Create the field if the site has Holiday Lists, otherwise remove it. Idempotent."""
	if frappe.db.exists("DocType", HOLIDAY_LIST):
		create_custom_fields({"Drip Campaign": [CUSTOM_FIELD]})
	else:
		_remove_field()


def remove_field_with(app: str) -> None:
	"""Remove the field if this app, which is about to be uninstalled, brings the Holiday Lists. Doesn't commit."""
	module = frappe.db.get_value("DocType", HOLIDAY_LIST, "module")
	if module and frappe.db.get_value("Module Def", module, "app_name") == app:
		_remove_field()


def _remove_field() -> None:
	name = frappe.db.exists("Custom Field", {"dt": "Drip Campaign", "fieldname": FIELD})
	if name:
		# nosemgrep: ignore-permissions - runs at install and migrate
		frappe.delete_doc("Custom Field", name, force=True, ignore_permissions=True)
		frappe.clear_cache(doctype="Drip Campaign")


def replan_after_change(holiday_list, _event: str | None = None) -> None:
	"""Replan every campaign that uses a changed Holiday List, in the background.

	A problem of a campaign must not prevent saving the list.
	"""
	if not frappe.get_meta("Drip Campaign").has_field(FIELD):
		return
	filters = {FIELD: holiday_list.name, "status": ["!=", CampaignStatus.ENDED.value]}
	for campaign in frappe.get_all("Drip Campaign", filters=filters, pluck="name"):
		frappe.enqueue(
			REPLAN_JOB,
			queue="long",
			campaign=campaign,
			job_id=f"drip-replan-{campaign}",
			enqueue_after_commit=True,
		)
