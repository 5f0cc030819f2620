"""The day of each step as text, for the picture of a campaign's schedule. Reads only, also from a document that is not saved."""

from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.flow_checks import validate_flow
from drip_campaigns.core.flow.forecast import Offset, find_offsets
from drip_campaigns.plans.campaign_plan import make_plan


def list_step_days(campaign) -> list[dict]:
	"""Return `step`, `hours` and `when` of each step of a Drip Campaign document, in the order in which they run.

	`hours` is the least time from the start, before weekdays and the window move it. `when` is a range such as "Day 3–5"
	where waits and branches decide. Both are empty for a step that no way leads to, and for all steps of a flow that
	cannot be followed yet.
	"""
	try:
		plan = make_plan(campaign)
		validate_flow(plan)
	except DripError:
		return [{"step": row.name, "hours": None, "when": ""} for row in campaign.steps]
	offsets = find_offsets(plan)
	return [_describe(placed.step.id, offsets.get(placed.step.id)) for placed in plan.order]


def _describe(step: str, offset: Offset | None) -> dict:
	if offset is None:
		return {"step": step, "hours": None, "when": ""}
	return {"step": step, "hours": offset.earliest, "when": describe_offset(offset)}


def describe_offset(offset: Offset) -> str:
	"""Return "Day 3", "Day 3 + 2 h", "Day 3–5", or "Day 3 or later"."""
	earliest = _describe_hours(offset.earliest)
	if offset.latest is None:
		return _("{0} or later").format(earliest)
	if offset.latest == offset.earliest:
		return earliest
	if offset.earliest % 24 == offset.latest % 24 == 0:
		return _("Day {0}–{1}").format(offset.earliest // 24, offset.latest // 24)
	return _("{0} to {1}").format(earliest, _describe_hours(offset.latest))


def _describe_hours(hours: int) -> str:
	days, rest = divmod(hours, 24)
	day = _("Day {0}").format(days)
	return f"{day} + {_('{0} h').format(rest)}" if rest else day
