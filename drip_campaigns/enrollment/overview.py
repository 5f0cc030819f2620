"""What a form shows of a campaign's and an enrollment's progress. Reads only."""

import frappe
from frappe.query_builder.functions import Count

from drip_campaigns.core import schedule
from drip_campaigns.core.model import LIVE_STATUSES
from drip_campaigns.enrollment.plans import make_plan, step_subjects
from drip_campaigns.enrollment.state import read_position
from drip_campaigns.site_clock import to_site

_LIVE = frozenset(status.value for status in LIVE_STATUSES)


def count_by_status(campaign: str) -> dict[str, dict[str, int]]:
	"""Return {"enrollments": {status: n}, "emails": {status: n}} of a campaign."""
	return {"enrollments": _count("Drip Enrollment", campaign), "emails": _count("Drip Email", campaign)}


def _count(doctype: str, campaign: str) -> dict[str, int]:
	table = frappe.qb.DocType(doctype)
	rows = (
		frappe.qb.from_(table)
		.select(table.status, Count(table.name))
		.where(table.campaign == campaign)
		.groupby(table.status)
		.run()
	)
	return dict(rows)


def list_schedule(enrollment) -> list[dict]:
	"""Return the steps of a Drip Enrollment document, those dealt with first: step, subject, planned_at, status, sent_at."""
	fields = ["step", "subject", "planned_at", "status", "sent_at", "reason", "error"]
	dealt_with = frappe.get_all(
		"Drip Email", filters={"enrollment": enrollment.name}, fields=fields, order_by="creation, planned_at"
	)
	if enrollment.status not in _LIVE:
		return dealt_with
	campaign = frappe.get_cached_doc("Drip Campaign", enrollment.campaign)
	position = read_position(enrollment.as_dict(), [row.step for row in dealt_with])
	subjects = step_subjects(campaign)
	planned = schedule.planned_schedule(make_plan(campaign), position)
	return dealt_with + [
		{
			"step": step,
			"subject": subjects[step],
			"planned_at": to_site(moment),
			"status": "Planned",
			"sent_at": None,
		}
		for step, moment in planned
	]
