"""Update the enrollments of a campaign after its schedule has changed, in batches: next step, its moment, end date.

The dispatch decides again for every enrollment that is due, so one that runs at the same time does nothing wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import frappe
from frappe.utils import create_batch

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import CampaignStatus, EventType, Plan, Position, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.db.events import record_events
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_rows import (
	ENROLLMENT_FIELDS,
	find_free_keys,
	load_handled_steps,
	update_enrollments,
)
from drip_campaigns.plans.enrollment_state import (
	end_date_while_paused,
	live_keys,
	plan_fields,
	position_fields,
	read_position,
	wait_on,
	waits_for_confirmation,
)
from drip_campaigns.site.clock import from_site, to_site

BATCH_SIZE = 1000
AT_ONCE = 1000  # a background job replans more than these
_RUNNING = (Status.SCHEDULED.value, Status.IN_PROGRESS.value)


def is_replanned(before, after) -> bool:
	"""Return whether saving the Drip Campaign document `after` over `before` recomputes the enrollments.

	The plans are compared, and not the fields: a value that is only written differently changes nothing.
	"""
	if after.status == CampaignStatus.ENDED.value:
		return False
	try:
		is_same = make_plan(before) == make_plan(after)
	except DripError:  # what is stored is no valid plan
		return True
	return not is_same or step_subjects(before) != step_subjects(after)


def count_reopened(campaign: str, plan: Plan) -> int:
	"""Return how many completed enrollments `replan` reopens with a plan. Reads only."""
	rows = []
	for batch in _batches(campaign, plan, [Status.COMPLETED.value], locks=False):
		handled = load_handled_steps([row.name for row in batch])
		rows += [row for row in batch if _reopens(plan, row, handled[row.name])]
	return len(find_free_keys(rows))


def replan(campaign, now: datetime, *, held_from: datetime | None = None) -> int:
	"""Recompute every live enrollment of `campaign`, and those that a longer schedule reopens; return how many changed.

	With `held_from`, the campaign was paused from then until `now`: the rest of each running delay is kept.
	Does not commit: the schedule and its enrollments change in the caller's transaction.
	"""
	return sum(replan_in_batches(campaign, now, held_from=held_from))


def replan_in_batches(campaign, now: datetime, *, held_from: datetime | None = None) -> Iterator[int]:
	"""As `replan`, but yield the number of changes after each batch, so that the caller can commit."""
	plan = make_plan(campaign)
	subjects = step_subjects(campaign)
	for rows in _batches(campaign.name, plan):
		dealt_with = load_handled_steps([row.name for row in rows])
		done = [row for row in rows if row.status == Status.COMPLETED.value]
		again = [row for row in done if _reopens(plan, row, dealt_with[row.name])]
		closed = {row.name for row in again}.difference(find_free_keys(again))
		states, events = [], []
		for row in rows:
			if row.name in closed:
				continue  # the recipient was enrolled again since then
			if waits_for_confirmation(row):  # its schedule begins when the recipient confirms
				if held_from and row.status in _RUNNING:
					states.append({**row, **wait_on(row, held_from, now)})
				continue
			position = read_position(row, dealt_with[row.name])
			if held_from and row.status in _RUNNING:
				position = due_steps.shift(plan, position, max(held_from, from_site(row.started_at)), now)
			change = _change(row, plan, position, subjects, events, now)
			state = {**row, **position_fields(position), **change}
			if state != row:
				states.append(state)
		update_enrollments(states, to_site(now))
		record_events(events, to_site(now))
		yield len(states)


def replan_soon(campaign, now: datetime) -> bool:
	"""Replan immediately if few enrollments are affected, else in a background job; return whether it is done.

	A campaign that has ended has no live enrollments.
	"""
	if campaign.status == CampaignStatus.ENDED.value:
		return True
	if count_affected(campaign.name) <= AT_ONCE:
		replan(campaign, now)
		return True
	frappe.enqueue(
		"drip_campaigns.jobs.daily.replan_campaign",
		queue="long",
		campaign=campaign.name,
		job_id=f"drip-replan-{campaign.name}",
		enqueue_after_commit=True,
	)
	return False


def renew_keys(campaign: str) -> None:
	"""Recompute the unique keys of live enrollments after the campaign, whose name they contain, was renamed."""
	fields = ["name", "campaign", "recipient_type", "recipient", "email_address"]
	filters = {"campaign": campaign, "status": ["in", [*_RUNNING, Status.PAUSED.value]]}
	rows = frappe.get_all("Drip Enrollment", filters=filters, fields=fields)
	for batch in create_batch(rows, BATCH_SIZE // 2):
		columns = ("name", "live_recipient", "live_address")
		set_each("Drip Enrollment", columns, [(row.name, *_keys(row).values()) for row in batch])


def count_affected(campaign: str) -> int:
	"""Return how many enrollments a change of the schedule can affect."""
	return frappe.db.count(
		"Drip Enrollment", {"campaign": campaign, "status": ["in", [*_RUNNING, "Paused", "Completed"]]}
	)


def _change(
	row: frappe._dict, plan: Plan, position: Position, subjects: dict, events: list, now: datetime
) -> dict:
	status = Status(row.status)
	if status is Status.COMPLETED and not due_steps.reopens(plan, position, status):
		return {}
	future = plan_fields(plan, position, subjects, from_site(row.ended_at))
	if status is Status.PAUSED:
		end = end_date_while_paused(
			plan, position, from_site(row.paused_at), from_site(row.paused_until), now
		)
		return {**future, **end, "next_send_at": None}
	if status is not Status.COMPLETED:
		# A failed step is tried again when its delay is over, and not earlier because of this.
		waits = row.last_error and row.next_send_at and future["next_send_at"]
		return {**future, "next_send_at": max(row.next_send_at, future["next_send_at"])} if waits else future
	event = {"event_type": EventType.REOPENED.value, "campaign": row.campaign, "enrollment": row.name}
	events.append({**event, "email_address": row.email_address})
	return {**future, **_keys(row), "status": Status.IN_PROGRESS.value, "ended_at": None}


def _reopens(plan: Plan, row: frappe._dict, steps: Mapping[str, frappe._dict]) -> bool:
	return due_steps.reopens(plan, read_position(row, steps), Status.COMPLETED)


def _keys(row: frappe._dict) -> dict[str, str]:
	return live_keys(row.campaign, row.recipient_type, row.recipient, row.email_address)


def _find_statuses(plan: Plan) -> list[str]:
	again = [Status.COMPLETED.value] if plan.reopen_completed else []
	return [*_RUNNING, Status.PAUSED.value, *again]


def _batches(
	campaign: str, plan: Plan, statuses: Sequence[str] = (), *, locks: bool = True
) -> Iterator[list[frappe._dict]]:
	statuses = statuses or _find_statuses(plan)
	table, last = frappe.qb.DocType("Drip Enrollment"), ""
	while True:
		query = (
			frappe.qb.from_(table)
			.select(*(table[field] for field in ENROLLMENT_FIELDS))
			.where((table.campaign == campaign) & table.status.isin(statuses) & (table.name > last))
			.orderby(table.name)
			.limit(BATCH_SIZE)
		)
		rows = (query.for_update() if locks else query).run(as_dict=True)
		if not rows:
			return
		yield rows
		last = rows[-1].name
