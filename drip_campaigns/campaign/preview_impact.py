"""What saving an edited campaign would change for the people in it. Reads only.

The database counts people by their place in the schedule; the pure core computes what changes at each place.
"""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Sum

from drip_campaigns.campaign.audience_edits import describe_edit
from drip_campaigns.campaign.replan import count_reopened, is_replanned
from drip_campaigns.core.model import LIVE_STATUSES, Plan, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.core.schedule.edit_impact import Group, Impact, measure_impact
from drip_campaigns.plans.campaign_plan import make_plan, step_subject
from drip_campaigns.plans.enrollment_state import position_fields, read_position, waits_for_confirmation
from drip_campaigns.rendering.step_text import load_step_text
from drip_campaigns.site.clock import from_site, to_site_plan, utc_now

ANY_MOMENT = datetime(
	2000, 1, 1, tzinfo=timezone.utc
)  # of a position that is needed only for the names of its fields
_LIVE = sorted(status.value for status in LIVE_STATUSES)


def preview_impact(stored, edited) -> tuple[Impact, list[str]]:
	"""Return what saving `edited` over `stored`, two Drip Campaign documents, would change: in numbers and in sentences."""
	before, after = make_plan(stored), make_plan(edited)
	impact = measure_impact(
		before, after, _groups(stored.name, before, after), lambda moment: from_site(to_site_plan(moment))
	)
	if not is_replanned(stored, edited):
		impact.reopened = impact.later = impact.earlier = impact.finished = 0
	elif impact.reopened:
		impact.reopened = count_reopened(stored.name, after)
	told = _describe(stored, edited, impact, has_flow=after.has_flow or after.has_jumps)
	return impact, [*describe_edit(stored, edited, utc_now()), *told]


def count_live(campaign: str) -> int:
	"""Return how many people are in a campaign."""
	return frappe.db.count("Drip Enrollment", {"campaign": campaign, "status": ["in", _LIVE]})


def _groups(campaign: str, before: Plan, after: Plan) -> Iterator[Group]:
	steps = list(dict.fromkeys(step.id for step in (*before.steps, *after.steps)))
	known: dict[int, frozenset[str]] = {}
	for row in _count_by_place(campaign, steps, with_completed=after.reopen_completed):
		mask = int(row.mask or 0)
		if mask not in known:
			known[mask] = frozenset(step for bit, step in enumerate(steps) if mask >> bit & 1)
		yield Group(
			row.people,
			Status(row.status),
			# What is still to come depends on the anchor, and not on the start.
			read_position({**row, "started_at": row.anchor_at, "waiting_since": None}, known[mask]),
			from_site(row.next_send_at),
			awaits_confirmation=waits_for_confirmation(row),
			retries=bool(row.has_failed),
		)


def _count_by_place(campaign: str, steps: list[str], *, with_completed: bool) -> list[frappe._dict]:
	"""Count the enrollments that are equal in all that the schedule needs, including the steps they were sent."""
	table = frappe.qb.DocType("Drip Enrollment")
	columns = [name for name in _position_columns() if name not in ("started_at", "waiting_since")]
	inner = (
		frappe.qb.from_(table)
		.select(*(table[name] for name in (*columns, "status", "next_send_at", "confirmation")))
		.select(Case().when(table.last_error.isnull(), 0).else_(1).as_("has_failed"))
		.select(_done_mask(table, steps).as_("mask"))
		.where((table.campaign == campaign) & _is_concerned(table, campaign, with_completed))
	)
	names = [*columns, "status", "next_send_at", "confirmation", "has_failed", "mask"]
	fields = [inner[name] for name in names]
	query = frappe.qb.from_(inner).select(*fields, Count("*").as_("people")).groupby(*fields)
	return query.run(as_dict=True)


def _is_concerned(table, campaign: str, with_completed: bool):
	live = table.status.isin(_LIVE)
	if not with_completed:
		return live
	# A recipient who was enrolled again continues in the new enrollment, and not in the completed one.
	again = frappe.qb.DocType("Drip Enrollment").as_("again")
	taken = frappe.qb.from_(again).select(again.email_address)
	taken = taken.where((again.campaign == campaign) & again.status.isin(_LIVE))
	completed = (table.status == Status.COMPLETED.value) & table.email_address.notin(taken)
	completed &= table.email_address.isnotnull()  # it is empty after personal data was erased
	return live | completed


def _done_mask(table, steps: list[str]):
	"""Return one number with a bit for each step that an enrollment has an email of."""
	email = frappe.qb.DocType("Drip Email")
	bits = Case()
	for bit, step in enumerate(steps):
		bits = bits.when(email.step == step, 1 << bit)
	return frappe.qb.from_(email).select(Sum(bits.else_(0))).where(email.enrollment == table.name)


def _position_columns() -> list[str]:
	return list(position_fields(due_steps.begin(ANY_MOMENT, None)))


def _describe(stored, edited, impact: Impact, *, has_flow: bool) -> Iterator[str]:
	names = {row.name or f"new-{row.idx}": _name_step(row) for row in (*stored.steps, *edited.steps)}
	get = _("Step {0}: {1} will get it. {2} are already past it and won't.")
	if has_flow:
		get = _(
			"Step {0}: {1} get it if its conditions and waits lead there. {2} are already past it and won't."
		)
	for step in impact.gets | impact.past:
		yield get.format(names[step], impact.gets[step], impact.past[step])
	for step, count in impact.loses.items():
		yield _("Step {0}: {1} would have got it and no longer will.").format(names[step], count)
	for step in _changed_texts(stored, edited):
		waiting = impact.waits_for[step]
		yield _("Step {0}: {1} will get the new text. Emails already sent don't change.").format(
			names[step], waiting
		)
	for count, sentence in _list_counts(impact):
		if count:
			yield sentence.format(count)


def _list_counts(impact: Impact) -> Iterator[tuple[int, str]]:
	yield impact.reopened, _("{0} who completed the campaign will re-enter it.")
	yield impact.later, _("{0} will get their next email later than now planned.")
	yield impact.earlier, _("{0} will get their next email earlier than now planned.")
	yield impact.finished, _("{0} have no steps left and complete the campaign.")


def _changed_texts(stored, edited) -> list[str]:
	before = {row.name: load_step_text(row) for row in stored.steps}
	return [
		row.name for row in edited.steps if row.name in before and load_step_text(row) != before[row.name]
	]


def _name_step(row: Any) -> str:
	return f"“{step_subject(row) or row.idx}”"
