"""The verbs for many enrollments in one call: pause, resume, remove, skip, move, start over. None commits.

A batch is a handful of statements. Each verb leaves alone what it cannot do, says why, and may be pressed twice.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import create_batch

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import EventType, ExitReason, Label, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.core.schedule.wall_clock import NEVER
from drip_campaigns.core.transitions import can_happen
from drip_campaigns.db import bulk_writes
from drip_campaigns.db.dialect import is_among
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment import enroll
from drip_campaigns.enrollment.exit import exit_enrollments
from drip_campaigns.enrollment.restart import restart
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.cancel import pause_queued
from drip_campaigns.outbox.email_rows import SkippedStep, insert_emails
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_rows import ENROLLMENT_FIELDS, load_handled_steps, update_enrollments
from drip_campaigns.plans.enrollment_state import (
	LIVE_VALUES,
	end_date_while_paused,
	is_paused_by_recipient,
	plan_fields,
	position_fields,
	read_position,
	waits_for_confirmation,
)
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.settings import release_after

BATCH_SIZE = 500
_GOING_ON = (Status.SCHEDULED.value, Status.IN_PROGRESS.value)


class Verb(Label):
	"""What can be done with enrollments."""

	PAUSE = "Pause"
	RESUME = "Resume"
	REMOVE = "Remove"
	SKIP = "Skip"
	MOVE = "Move"
	START_OVER = "Start Over"


@dataclass(frozen=True)
class Order:
	"""What is to be done: `step` is the one to skip or to move to, `until` the end of a pause."""

	verb: Verb
	step: str | None = None
	until: datetime | None = None


@dataclass
class VerbResult:
	"""How many enrollments it was done with, and with how many not, by reason."""

	done: int = 0
	refused: Counter[str] = field(default_factory=Counter)


def act_on(names: Sequence[str], order: Order, now: datetime) -> VerbResult:
	"""Do `order` with the enrollments `names`; return what came of it."""
	if order.until and order.until <= now:
		raise DripError(_("A pause ends in the future. Choose a later moment."))
	outcome = VerbResult()
	for batch in create_batch(list(dict.fromkeys(names)), BATCH_SIZE):
		rows = _lock(batch)
		_VERBS[order.verb](rows, order, now, outcome)
	return outcome


def names_at_step(campaign: str, step: str) -> list[str]:
	"""Return the enrollments whose next step this is, paused ones included."""
	filters = {"campaign": campaign, "next_step": step, "status": ["in", list(LIVE_VALUES)]}
	return frappe.get_all("Drip Enrollment", filters=filters, pluck="name", order_by="name")


def _lock(names: Sequence[str]) -> list[frappe._dict]:
	table = frappe.qb.DocType("Drip Enrollment")
	fields = [table[name] for name in (*ENROLLMENT_FIELDS, "own_paused_until")]
	return (
		frappe.qb.from_(table)
		.select(*fields)
		.where(is_among(table.name, names))
		.for_update()
		.run(as_dict=True)
	)


def _pause(rows: Sequence[frappe._dict], order: Order, now: datetime, outcome: VerbResult) -> None:
	states = []
	for row, position, plan, _subjects in _with_plans(rows):
		rests = is_paused_by_recipient(row, now)
		if not rests and not can_happen(Status(row.status), EventType.PAUSED):
			outcome.refused[_is(row)] += 1
			continue
		since, until = now, order.until
		if rests:  # the recipient's own pause stays beside this one: the later end counts
			since, until = from_site(row.paused_at), until and max(until, from_site(row.paused_until))
		end = {} if waits_for_confirmation(row) else end_date_while_paused(plan, position, since, until, now)
		paused = {"next_send_at": None, "paused_at": to_site(since), "paused_until": to_site(until)}
		states.append({**row, **end, **paused, "status": Status.PAUSED.value})
	if states:
		names = [state["name"] for state in states]
		pause_queued(is_among(emails.email_table().enrollment, names), now=now)
		bulk_writes.set_values(
			"Drip Enrollment", names, {"own_paused_until": to_site(order.until)}, to_site(now)
		)
	_write(states, EventType.PAUSED, _by_user(), now, outcome)


def _resume(rows: Sequence[frappe._dict], order: Order, now: datetime, outcome: VerbResult) -> None:
	# One by one: consent, addresses and exclusions are looked at again for each, and each may be refused.
	for row in rows:
		point = f"resume_{outcome.done + outcome.refused.total()}"
		frappe.db.savepoint(point)
		try:
			enroll.resume(frappe.get_doc("Drip Enrollment", row.name), now)
			outcome.done += 1
		except DripError as error:
			frappe.db.rollback(save_point=point)
			outcome.refused[str(error)] += 1


def _remove(rows: Sequence[frappe._dict], order: Order, now: datetime, outcome: VerbResult) -> None:
	live = [row for row in rows if row.status in LIVE_VALUES]
	outcome.refused.update(_is(row) for row in rows if row.status not in LIVE_VALUES)
	outcome.done += exit_enrollments([row.name for row in live], ExitReason.REMOVED, _by_user(), now)


def _skip(rows: Sequence[frappe._dict], order: Order, now: datetime, outcome: VerbResult) -> None:
	states, skipped = [], []
	for row, position, plan, subjects in _with_plans(rows):
		planned = due_steps.next_send_at(plan, position)
		if why_not := _why_not(row) or _not_at(planned, order, subjects):
			outcome.refused[why_not] += 1
			continue
		step, moment = planned
		at = now if moment == NEVER else max(moment, now)  # the steps after it keep their days
		moved = due_steps.advance(plan, position, step, at)
		skipped.append(SkippedStep(row, step, subjects[step], at, _by_user()))
		states.append({**row, **_moved_fields(plan, moved, subjects, now)})
	insert_emails([], skipped, now, release_after())
	_write(states, EventType.SKIPPED, _by_user(), now, outcome)


def _move(rows: Sequence[frappe._dict], order: Order, now: datetime, outcome: VerbResult) -> None:
	states, taken_back = [], []
	dealt_with = load_handled_steps([row.name for row in rows])
	for row, position, plan, subjects in _with_plans(rows, dealt_with):
		was = dealt_with[row.name].get(order.step)
		why_not = _why_not(row)
		if not why_not and was and was.status != "Skipped":
			why_not = _("Has had this step already. Start over to send it once more.")
		if not why_not and order.step not in plan.placed:
			why_not = _("The campaign has no such step.")
		moved = None if why_not else due_steps.move(plan, position, order.step, now)
		if moved and (due_steps.next_send_at(plan, moved) or ("",))[0] != order.step:
			why_not = _("The step is disabled, a draft, or stands after an end.")
		if why_not:
			outcome.refused[why_not] += 1
			continue
		taken_back += [f"{row.name}-{order.step}"] if was else []
		states.append({**row, **_moved_fields(plan, moved, subjects, now)})
	bulk_writes.delete_rows("Drip Email", taken_back)
	_write(states, EventType.MOVED, _by_user(), now, outcome)


def _start_over(rows: Sequence[frappe._dict], order: Order, now: datetime, outcome: VerbResult) -> None:
	done, refused = restart(rows, _by_user(), now)
	outcome.done += done
	outcome.refused.update(refused)


_VERBS: dict[Verb, Callable[[Sequence[frappe._dict], Order, datetime, VerbResult], None]] = {
	Verb.PAUSE: _pause,
	Verb.RESUME: _resume,
	Verb.REMOVE: _remove,
	Verb.SKIP: _skip,
	Verb.MOVE: _move,
	Verb.START_OVER: _start_over,
}


def _with_plans(rows: Sequence[frappe._dict], dealt_with: Mapping | None = None) -> Iterator[tuple]:
	"""Yield each row with its position, its campaign's plan and the subjects of its steps."""
	dealt_with = load_handled_steps([row.name for row in rows]) if dealt_with is None else dealt_with
	plans: dict[str, tuple] = {}
	for row in rows:
		if row.campaign not in plans:
			campaign = frappe.get_doc("Drip Campaign", row.campaign)
			plans[row.campaign] = make_plan(campaign), step_subjects(campaign)
		plan, subjects = plans[row.campaign]
		yield row, read_position(row, dealt_with[row.name]), plan, subjects


def _why_not(row: frappe._dict) -> str | None:
	if row.status not in _GOING_ON:
		return _is(row)
	return _("Waits for the recipient's confirmation.") if waits_for_confirmation(row) else None


def _not_at(planned: tuple | None, order: Order, subjects: Mapping[str, str]) -> str | None:
	if planned is None:
		return _("Has no step to come.")
	if planned[0] != order.step:
		return _("Does not stand at “{0}” any more.").format(subjects.get(order.step, order.step))
	return None


def _moved_fields(plan, position, subjects: Mapping[str, str], now: datetime) -> dict[str, Any]:
	done = {"attempts": 0, "last_error": None, "deferred_reason": None}
	return {**position_fields(position), **plan_fields(plan, position, subjects, now), **done}


def _write(states: list[dict], event: EventType, detail: str, now: datetime, outcome: VerbResult) -> None:
	update_enrollments(states, to_site(now))
	record_events([_event(state, event, detail) for state in states], to_site(now))
	outcome.done += len(states)


def _event(row: Mapping[str, Any], event: EventType, detail: str) -> dict[str, Any]:
	about = {"campaign": row["campaign"], "enrollment": row["name"], "email_address": row["email_address"]}
	return {"event_type": event.value, "detail": detail, **about}


def _is(row: frappe._dict) -> str:
	return _("Is {0}.").format(_(row.status))


def _by_user() -> str:
	return _("By {0}").format(frappe.session.user)
