"""A campaign's figures as its form shows them: a row a step, persons and machines apart. A few rows are read."""

from typing import Any

from drip_campaigns.core.model import EventType
from drip_campaigns.enrollment.plans import step_subjects
from drip_campaigns.feedback.figures import read_totals

COLUMNS = {
	"sent": EventType.SENT,
	"opened": EventType.OPENED,
	"clicked": EventType.CLICKED,
	"replied": EventType.REPLIED,
	"bounced": EventType.BOUNCED,
	"left": EventType.UNSUBSCRIBED,
}


def describe(campaign) -> dict[str, Any]:
	"""Return a row for each step in the order of the form, one for what belongs to none, and the sum of all."""
	totals, subjects = read_totals(campaign.name), step_subjects(campaign)
	steps = [{"step": row.name, "idx": row.idx, "subject": subjects[row.name]} for row in campaign.steps]
	rows = [{**step, **_figures(totals, step["step"])} for step in steps]
	known = {step["step"] for step in steps}
	others = {step for step, _event, _machine in totals} - known
	rest = _sum([_figures(totals, step) for step in sorted(others)])
	return {
		"steps": rows,
		"rest": rest,
		"total": _sum([*rows, rest]),
		"tracking_mode": campaign.tracking_mode,
	}


def _figures(totals: dict, step: str) -> dict[str, int]:
	figures = {name: totals.get((step, event.value, 0), 0) for name, event in COLUMNS.items()}
	machines = {
		f"{name}_by_machine": totals.get((step, COLUMNS[name].value, 1), 0) for name in ("opened", "clicked")
	}
	return {**figures, **machines}


def _sum(rows: list[dict]) -> dict[str, int]:
	names = [*COLUMNS, "opened_by_machine", "clicked_by_machine"]
	return {name: sum(row[name] for row in rows) for name in names}
