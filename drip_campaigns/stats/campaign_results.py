"""A campaign's results as its form shows them: a row per step, with people and bots separate. Reads a few rows."""

from collections.abc import Sequence
from typing import Any

import frappe
from frappe.query_builder.functions import Count

from drip_campaigns.core.flow.actions import UNSETTLED, ActionStatus
from drip_campaigns.core.model import LIVE_STATUSES, EventType, StepType
from drip_campaigns.db.dialect import is_among
from drip_campaigns.plans.campaign_plan import step_subjects
from drip_campaigns.stats.counters import read_sums, read_totals

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
	totals, subjects = read_totals(campaign.name), step_subjects(campaign)
	open_actions = _count_open_actions(campaign)
	rows = [
		{
			**{"step": row.name, "idx": row.idx, "subject": subjects[row.name]},
			**{"step_type": row.step_type or StepType.SEND.value, **open_actions.get(row.name, _NONE_OPEN)},
			**_figures(totals, row.name),
			**{name: totals.get((row.name, event.value, 0), 0) for name, event in OTHER_COLUMNS.items()},
		}
		for row in campaign.steps
	]
	known = {row["step"] for row in rows}
	others = {step for step, _event, _machine in totals} - known
	rest = _sum([_figures(totals, step) for step in sorted(others)])
	return {
		"steps": rows,
		"rest": rest,
		"total": _sum([*rows, rest]),
		"tracking_mode": campaign.tracking_mode,
	}


def summarize(campaigns: Sequence[str]) -> dict[str, dict[str, int]]:
	"""Return each campaign's live enrollments and its results without bots, in a few statements for a whole list."""
	if not campaigns:
		return {}
	sums, live = read_sums(campaigns), _count_live(campaigns)
	return {
		name: {
			"live": live.get(name, 0),
			**{column: sums.get((name, event.value), 0) for column, event in COLUMNS.items()},
		}
		for name in campaigns
	}


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


def _figures(totals: dict, step: str) -> dict[str, int]:
	figures = {name: totals.get((step, event.value, 0), 0) for name, event in COLUMNS.items()}
	bots = {f"{name}_by_bot": totals.get((step, COLUMNS[name].value, 1), 0) for name in ("opened", "clicked")}
	return {**figures, **bots}


def _sum(rows: list[dict]) -> dict[str, int]:
	names = [*COLUMNS, "opened_by_bot", "clicked_by_bot"]
	return {name: sum(row[name] for row in rows) for name in names}
