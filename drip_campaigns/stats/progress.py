"""What a form shows of a campaign's and an enrollment's progress. Reads only."""

import frappe
from frappe import _
from frappe.query_builder.functions import Count

from drip_campaigns.core.model import LIVE_STATUSES, EmailStatus, EventType, SkipReason, StepType
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_state import read_position
from drip_campaigns.site.clock import to_site

MOST_WAYS = 200
_KINDS = {StepType.SEND.value: "Email", StepType.ACTION.value: "Action"}
_LIVE = frozenset(status.value for status in LIVE_STATUSES)


def count_by_status(campaign: str) -> dict[str, dict[str, int]]:
	"""Return {"enrollments": {status: n}, "emails": {status: n}, "actions": {status: n}} of a campaign.

	The emails' Missed are those of the skipped ones that were overdue, and can be sent after all.
	"""
	missed = {"campaign": campaign, "status": EmailStatus.SKIPPED.value, "reason": SkipReason.EXPIRED.value}
	emails = _count("Drip Email", campaign)
	if emails.get(EmailStatus.SKIPPED.value):
		emails["Missed"] = frappe.db.count("Drip Email", missed)
	return {
		"enrollments": _count("Drip Enrollment", campaign),
		"emails": emails,
		"actions": _count("Drip Action", campaign),
	}


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
	"""Return what became of the steps of a Drip Enrollment document, in order, and then what is planned.

	Each has kind (Email, Action, Way), step, subject, planned_at, status, sent_at and reason; an action has its name as well.
	"""
	campaign = frappe.get_cached_doc("Drip Campaign", enrollment.campaign)
	subjects, places = step_subjects(campaign), {row.name: row.idx for row in campaign.steps}
	emails = _emails(enrollment.name)
	past = [*emails, *_actions(enrollment.name, subjects), *_ways(enrollment.name, subjects)]
	past.sort(key=lambda row: (row.pop("at"), places.get(row["step"], 0)))
	if enrollment.status not in _LIVE:
		return past
	done = [row["step"] for row in past if row["kind"] != "Way"]
	return past + _planned(enrollment, campaign, subjects, done)


def _planned(enrollment, campaign, subjects: dict[str, str], done: list[str]) -> list[dict]:
	kinds = {row.name: row.step_type or StepType.SEND.value for row in campaign.steps}
	position = read_position(enrollment.as_dict(), done)
	return [
		{
			**{"kind": _KINDS.get(kinds[step], "Way"), "step": step, "subject": subjects[step]},
			**{"planned_at": to_site(moment), "status": "Planned", "sent_at": None},
		}
		for step, moment in due_steps.planned_schedule(make_plan(campaign), position)
	]


def _emails(enrollment: str) -> list[dict]:
	fields = ["step", "subject", "planned_at", "status", "sent_at", "reason", "error", "creation as at"]
	rows = frappe.get_all("Drip Email", filters={"enrollment": enrollment}, fields=fields)
	return [{"kind": "Email", **row} for row in rows]


def _actions(enrollment: str, subjects: dict[str, str]) -> list[dict]:
	fields = [
		"name as action",
		"action as subject",
		"step",
		"due_at as planned_at",
		"status",
		"outcome as reason",
	]
	rows = frappe.get_all(
		"Drip Action",
		filters={"enrollment": enrollment},
		fields=[*fields, "done_at as sent_at", "creation as at"],
	)
	return [{"kind": "Action", **row, "subject": subjects.get(row.step) or _(row.subject)} for row in rows]


def _ways(enrollment: str, subjects: dict[str, str]) -> list[dict]:
	"""Return where the enrollment was led elsewhere than to the next step, and the waits that are over."""
	filters = {"enrollment": enrollment, "event_type": EventType.BRANCHED.value}
	fields = ["step", "detail as reason", "occurred_at as sent_at", "occurred_at as at"]
	rows = frappe.get_all(
		"Drip Event", filters=filters, fields=fields, limit=MOST_WAYS, order_by="occurred_at"
	)
	return [
		{"kind": "Way", **row, "status": "Branched", "subject": subjects.get(row.step, "")} for row in rows
	]
