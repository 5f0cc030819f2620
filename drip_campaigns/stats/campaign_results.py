"""A campaign's results as its form shows them: a row per step, in people, with bots separate. Reads a few rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import frappe
from frappe.query_builder.functions import Count

from drip_campaigns.core.flow.actions import UNSETTLED, ActionStatus
from drip_campaigns.core.model import LIVE_STATUSES, EventType, StepType
from drip_campaigns.db.dialect import is_among
from drip_campaigns.plans.campaign_plan import step_subjects
from drip_campaigns.stats import people
from drip_campaigns.stats.counters import read_totals

COLUMNS = {
	"sent": EventType.SENT,
	"opened": EventType.OPENED,
	"clicked": EventType.CLICKED,
	"replied": EventType.REPLIED,
	"bounced": EventType.BOUNCED,
	"left": EventType.UNSUBSCRIBED,
}
# The results of steps other than emails: actions, branches, and skipped people.
OTHER_COLUMNS = {
	"acted": EventType.ACTED,
	"action_failed": EventType.ACTION_FAILED,
	"moved_on": EventType.BRANCHED,
	"skipped": EventType.SKIPPED,
}
_NONE_OPEN = {"waiting": 0, "assigned": 0}


def describe(campaign) -> dict[str, Any]:
	"""Return a row per step in the order of the form, a row for events without a step, and the total."""
	totals, subjects = read_totals([campaign.name])[campaign.name], step_subjects(campaign)
	open_actions = _count_open_actions(campaign)
	rows = [
		{
			**{"step": row.name, "idx": row.idx, "subject": subjects[row.name]},
			**{"step_type": row.step_type or StepType.SEND.value, **open_actions.get(row.name, _NONE_OPEN)},
			**_figures(totals, row.name),
			**{name: people.count_events(totals, row.name, event) for name, event in OTHER_COLUMNS.items()},
		}
		for row in campaign.steps
	]
	others = {what[0] for what in totals} - {row["step"] for row in rows}
	rest: Counter = Counter(_figures({}, None))
	for step in others:
		rest.update(_figures(totals, step))
	return {
		"steps": rows,
		"rest": dict(rest),
		"total": _figures(totals, None),
		"tracking_mode": campaign.tracking_mode,
	}


def summarize(campaigns: Sequence[str]) -> dict[str, dict[str, int]]:
	"""Return each campaign's live enrollments and its figures in all, in a few statements for a whole list."""
	if not campaigns:
		return {}
	totals, live = read_totals(campaigns), _count_live(campaigns)
	return {name: {"live": live.get(name, 0), **_figures(totals[name], None)} for name in campaigns}


def _count_live(campaigns: Sequence[str]) -> dict[str, int]:
	table = frappe.qb.DocType("Drip Enrollment")
	query = frappe.qb.from_(table).select(table.campaign, Count("*")).groupby(table.campaign)
	is_live = table.status.isin([status.value for status in LIVE_STATUSES])
	return dict(query.where(is_among(table.campaign, campaigns) & is_live).run())


def _count_open_actions(campaign) -> dict[str, dict[str, int]]:
	"""Return by step how many actions wait, and how many wait for a ToDo to be closed. The counters have the done ones."""
	if not any(row.step_type == StepType.ACTION for row in campaign.steps):
		return {}
	action = frappe.qb.DocType("Drip Action")
	query = frappe.qb.from_(action).select(action.step, action.status, Count(action.name))
	is_open = action.status.isin([status.value for status in UNSETTLED])
	rows = query.where((action.campaign == campaign.name) & is_open).groupby(action.step, action.status).run()
	counts: dict[str, dict[str, int]] = {}
	for step, status, number in rows:
		kind = "assigned" if status == ActionStatus.ASSIGNED else "waiting"
		counts.setdefault(step, dict(_NONE_OPEN))[kind] += number
	return counts


def _figures(totals: Mapping[tuple, int], step: str | None) -> dict[str, int]:
	"""Return the figures of a step's email, or of the campaign: `sent` emails, and people for everything else.

	`people` got at least one of the emails: the base of all rates. `<name>_unnamed` are visits that name nobody.
	"""
	figures = {name: people.count_people(totals, step, event) for name, event in COLUMNS.items()}
	figures["people"] = figures["sent"]
	figures["sent"] = people.count_events(totals, step, EventType.SENT)
	for name in ("opened", "clicked"):
		figures[f"{name}_by_bot"] = people.count_events(totals, step, COLUMNS[name], bots=True)
		figures[f"{name}_unnamed"] = people.count_unnamed(totals, step, COLUMNS[name])
	return figures
