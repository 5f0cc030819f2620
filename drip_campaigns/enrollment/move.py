"""Skip the next step of enrollments, or move them to another step, in batches. Nothing here commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.model import EventType, Plan, Position, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.core.schedule.wall_clock import NEVER
from drip_campaigns.db import bulk_writes
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.changes import (
	detail_of_user,
	iterate_plans,
	lock_enrollments,
	make_event,
	refuse_status,
	write_states,
)
from drip_campaigns.enrollment.refusals import Refusal, VerbResult
from drip_campaigns.outbox.email_rows import SkippedStep, insert_emails
from drip_campaigns.plans.enrollment_rows import load_handled_steps
from drip_campaigns.plans.enrollment_state import plan_fields, position_fields, waits_for_confirmation
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.settings import release_after

_RUNNING = (Status.SCHEDULED.value, Status.IN_PROGRESS.value)


def skip_step(names: Sequence[str], step: str, now: datetime) -> VerbResult:
	"""Skip `step` in the enrollments whose next step it is; the steps after it keep their days."""
	result, states, skipped = VerbResult(), [], []
	for row, position, plan, subjects in iterate_plans(lock_enrollments(names)):
		planned = due_steps.next_send_at(plan, position)
		if refusal := _refuse_running(row) or _refuse_skip(row, planned, step, subjects):
			result.refusals[row.name] = refusal
			continue
		moment = planned[1]
		at = now if moment == NEVER else max(moment, now)
		moved = due_steps.advance(plan, position, step, at)
		skipped.append(SkippedStep(row, step, subjects[step], at, detail_of_user()))
		states.append({**row, **_moved_fields(plan, moved, subjects, now)})
	insert_emails([], skipped, now, release_after())
	return _write(result, states, EventType.SKIPPED, now)


def move_to_step(names: Sequence[str], step: str, now: datetime) -> VerbResult:
	"""Move enrollments to `step`, which is due now; the steps after it are counted from now.

	A step that was skipped can be reached again; a step that was sent cannot.
	"""
	result, states, undone = VerbResult(), [], []
	rows = lock_enrollments(names)
	handled = load_handled_steps([row.name for row in rows])
	for row, position, plan, subjects in iterate_plans(rows, handled):
		was = handled[row.name].get(step)
		moved = due_steps.move(plan, position, step, now) if step in plan.placed else None
		if refusal := _refuse_running(row) or _refuse_move(row, was, plan, moved, step):
			result.refusals[row.name] = refusal
			continue
		undone += [f"{row.name}-{step}"] if was else []
		states.append({**row, **_moved_fields(plan, moved, subjects, now)})
	bulk_writes.delete_rows("Drip Email", undone)
	return _write(result, states, EventType.MOVED, now)


def _refuse_running(row: frappe._dict) -> Refusal | None:
	if row.status not in _RUNNING:
		return refuse_status(row)
	if waits_for_confirmation(row):
		remedy = _("Wait until the recipient has confirmed.")
		return Refusal(
			"confirmation", _("waits for the recipient's confirmation"), remedy, row.recipient_name
		)
	return None


def _refuse_skip(
	row: frappe._dict, planned: tuple[str, datetime] | None, step: str, subjects: Mapping[str, str]
) -> Refusal | None:
	remedy = _("Reload the form to see the next step.")
	if planned is None:
		return Refusal("steps", _("has no step to come"), remedy, row.recipient_name)
	if planned[0] != step:
		cause = _("is no longer at step “{0}”").format(subjects.get(step, step))
		return Refusal("steps", cause, remedy, row.recipient_name)
	return None


def _refuse_move(
	row: frappe._dict, was: frappe._dict | None, plan: Plan, moved: Position | None, step: str
) -> Refusal | None:
	if was and was.status != "Skipped":
		cause, remedy = _("has had this step already"), _("Start over to send it once more.")
	elif moved is None:
		cause, remedy = (
			_("cannot be moved to a step that the campaign does not have"),
			_("Choose another step."),
		)
	elif (due_steps.next_send_at(plan, moved) or ("",))[0] != step:
		cause = _("cannot be moved to a step that is disabled, a draft, or after an end")
		remedy = _("Choose another step.")
	else:
		return None
	return Refusal("steps", cause, remedy, row.recipient_name)


def _moved_fields(
	plan: Plan, position: Position, subjects: Mapping[str, str], now: datetime
) -> dict[str, Any]:
	done = {"attempts": 0, "last_error": None, "deferred_reason": None}
	return {**position_fields(position), **plan_fields(plan, position, subjects, now), **done}


def _write(result: VerbResult, states: Sequence[dict], event: EventType, now: datetime) -> VerbResult:
	write_states(states, now)
	record_events([make_event(state, event, detail_of_user()) for state in states], to_site(now))
	result.done = len(states)
	return result
