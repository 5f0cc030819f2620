"""The progress of a campaign and of an enrollment, as their forms show it. Reads only."""

from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.actions.awaited_todo import is_waiting_for_todo, keep_distance
from drip_campaigns.core.flow.forecast import Arrival, find_arrivals
from drip_campaigns.core.model import LIVE_STATUSES, EventType, StepType
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_rows import load_handled_steps
from drip_campaigns.plans.enrollment_state import read_position
from drip_campaigns.site.clock import to_site
from drip_campaigns.stats import ledger

MOST_WAYS = 200
_KINDS = {StepType.SEND.value: "Email", StepType.ACTION.value: "Action"}
_LIVE = frozenset(status.value for status in LIVE_STATUSES)


def count_by_status(campaign: str) -> dict[str, Any]:
	"""Return {"enrollments": {status: n}, "emails": {status: n}, "actions": {status: n}, "cards": [...]} of a campaign."""
	emails = ledger.count_rows(ledger.EMAIL, campaign)
	enrollments = ledger.count_rows(ledger.ENROLLMENT, campaign)
	return {
		"enrollments": enrollments,
		"emails": emails,
		"actions": ledger.count_rows("Drip Action", campaign),
		"cards": ledger.make_cards({ledger.EMAIL: emails, ledger.ENROLLMENT: enrollments}),
	}


def list_schedule(enrollment, now: datetime) -> list[dict]:
	"""Return the steps of a Drip Enrollment document in order: the past ones with their results, then the planned ones.

	Each has kind (Email, Action, Way), step, subject, planned_at, status, sent_at and reason; an action has its name, too.
	Where waits and branches decide when a planned step comes, planned_at is the earliest moment, planned_until the latest
	or None, and is_range is true.
	"""
	campaign = frappe.get_cached_doc("Drip Campaign", enrollment.campaign)
	subjects, places = step_subjects(campaign), {row.name: row.idx for row in campaign.steps}
	emails = _emails(enrollment.name)
	past = [*emails, *_actions(enrollment.name, subjects), *_ways(enrollment.name, subjects)]
	past.sort(key=lambda row: (row.pop("at"), places.get(row["step"], 0)))
	if enrollment.status not in _LIVE:
		return past
	return past + _planned(enrollment, campaign, subjects, now)


def _planned(enrollment, campaign, subjects: dict[str, str], now: datetime) -> list[dict]:
	kinds = {row.name: row.step_type or StepType.SEND.value for row in campaign.steps}
	plan, steps = make_plan(campaign), load_handled_steps([enrollment.name])[enrollment.name]
	position = keep_distance(plan, read_position(enrollment.as_dict(), steps), steps)
	arrivals = {}
	if plan.has_flow or plan.has_jumps or is_waiting_for_todo(steps):
		arrivals = find_arrivals(plan, position, now, awaits_todo=is_waiting_for_todo(steps))
	return [
		{
			**{"kind": _KINDS.get(kinds[step], "Way"), "step": step, "subject": subjects[step]},
			**{"status": "Planned", "sent_at": None, **_moments(moment, arrivals.get(step))},
		}
		for step, moment in due_steps.planned_schedule(plan, position)
	]


def _moments(planned_at: datetime, arrival: Arrival | None) -> dict:
	if arrival is None or arrival.is_exact:
		return {"planned_at": to_site(planned_at)}
	until = to_site(arrival.latest) if arrival.latest else None
	return {"planned_at": to_site(arrival.earliest), "planned_until": until, "is_range": True}


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
	"""Return the branches that the enrollment followed, and the waits that are over."""
	filters = {"enrollment": enrollment, "event_type": EventType.BRANCHED.value}
	fields = ["step", "detail as reason", "occurred_at as sent_at", "occurred_at as at"]
	rows = frappe.get_all(
		"Drip Event", filters=filters, fields=fields, limit=MOST_WAYS, order_by="occurred_at"
	)
	return [
		{"kind": "Way", **row, "status": "Branched", "subject": subjects.get(row.step, "")} for row in rows
	]
