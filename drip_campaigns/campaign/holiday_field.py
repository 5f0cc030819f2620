"""The field Holiday List of a campaign: there while ERPNext's DocType of that name is there, and gone with it."""

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
	"description": "Nothing is sent on the days of this list, its weekly holidays included: an email waits for the next"
	" allowed day. Days after the end of the list count as working days. Empty: no holidays.",
}
REPLAN_JOB = "drip_campaigns.jobs.daily.replan_campaign"


def make_field_or_remove_it() -> None:
	"""Let campaigns have the field if, and only if, the site has Holiday Lists; running it twice changes nothing."""
	if frappe.db.exists("DocType", HOLIDAY_LIST):
		create_custom_fields({"Drip Campaign": [CUSTOM_FIELD]})
		return
	name = frappe.db.exists("Custom Field", {"dt": "Drip Campaign", "fieldname": FIELD})
	if name:
		frappe.delete_doc("Custom Field", name, force=True, ignore_permissions=True)
		frappe.clear_cache(doctype="Drip Campaign")


def replan_after_change(holiday_list, _event: str | None = None) -> None:
	"""Have the next emails of every campaign with this list worked out anew, in the background: its days have changed.

	Never in the request of whoever saves the list: a campaign's trouble is not theirs.
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
