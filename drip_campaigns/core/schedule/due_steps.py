"""When each step is due, and the decision for an enrollment at any moment. Read this from top to bottom.

A plan has the distance of each step from the start, in hours of the wall clock. A position has the place that an
enrollment has reached, and the moment that the rest is counted from. Both give the next step, its planned moment and
the decision at any `now`. Nothing is sent or stored here; the caller keeps the position that `advance` returns.
The rules in plain words, with examples, are in docs/guide/schedule.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from drip_campaigns.core.model import (
	Decision,
	Finish,
	Placed,
	Plan,
	Position,
	Reach,
	Send,
	Skip,
	SkipReason,
	Status,
	Step,
	StepType,
	Wait,
)
from drip_campaigns.core.schedule.send_window import end_of_plan, next_allowed
from drip_campaigns.core.schedule.wall_clock import (
	NEVER,
	ONE_DAY,
	find_zone,
	from_wall,
	to_utc,
	to_wall,
	to_wall_not_early,
)

NOWHERE = (-1, -1)  # the place of an enrollment that was sent nothing


def begin(start: datetime, timezone: str | None) -> Position:
	"""Return the position of an enrollment that starts at `start`."""
	start = to_utc(start)
	return Position(start=start, timezone=timezone, done=frozenset(), anchor_at=start, anchor_hours=0)


def decide(plan: Plan, position: Position, now: datetime) -> Decision:
	"""Decide what to do for this enrollment at `now`: one step at most, and always the next one in order.

	After a Send, a Reach or a Skip has been carried out, `advance` and decide again: the next step may be due as well.
	"""
	placed = find_next(plan, position)
	if placed is None:
		return Finish()
	zone = zone_of(plan, position)
	planned = _planned(plan, position, placed, zone)
	end = end_of_plan(plan, zone)
	if end is not None and now >= end:
		return Skip(placed.step.id, planned, SkipReason.CAMPAIGN_ENDED)
	if planned > now:
		return Wait(placed.step.id, planned if end is None else min(planned, end))
	if not placed.step.acts:
		return Reach(placed.step.id, planned)
	if _has_expired(plan, placed.step, now - planned):
		return Skip(placed.step.id, planned, SkipReason.EXPIRED)
	allowed = next_allowed(plan, zone, now)
	if allowed > now:
		return Wait(placed.step.id, allowed if end is None else min(allowed, end))
	if placed.step.type is StepType.SEND:
		return Send(placed.step.id, planned)
	return Reach(placed.step.id, planned)


def advance(plan: Plan, position: Position, step_id: str, at: datetime) -> Position:
	"""Return the position after a step was handled at `at`, on the way to the step that it leads to."""
	placed = plan.placed.get(step_id)
	leads_on = placed is not None and placed.step.type is not StepType.END
	return go_on(plan, position, step_id, at, plan.ids.get(placed.step.flow.next_step) if leads_on else None)


def go_on(
	plan: Plan, position: Position, step_id: str, at: datetime, target: str | None, *, is_done: bool = True
) -> Position:
	"""Return the position after a step was handled at `at`, on the way to `target` or, if None, to the next in order.

	Without `is_done` the step did not run, and runs if the enrollment comes back to it.

	With Keep Intervals the steps after it are counted from `at`; with Keep Dates only the place moves on, except that
	what comes after a wait is counted from its end. A step that is done already changes nothing. One that is late in the
	order, or no longer in the plan, is only added to the done ones.
	"""
	if step_id in position.done:
		return position
	placed = plan.placed.get(step_id)
	counts = placed is None or (placed.step.acts and is_done)
	done = position.done | {step_id} if counts else position.done
	if placed is None or placed.place < place_of(plan, position):
		return replace(position, done=done)
	reached = replace(
		position,
		done=done,
		reached_step=step_id,
		reached_hours=placed.hours,
		not_before=None,
		jump_to=target,
		waiting_since=None,
	)
	if plan.keeps_dates and placed.step.type is not StepType.WAIT:
		return replace(reached, anchor_hours=position.anchor_hours - _detour(plan, position))
	return replace(reached, anchor_at=to_utc(at), anchor_hours=placed.hours)


def move(plan: Plan, position: Position, step_id: str, at: datetime) -> Position:
	"""Return the position right before a step of the plan: the step is due at `at`, and the others are counted from then.

	The steps between are skipped without becoming done. Steps after it that were done before stay done.
	"""
	placed = plan.placed[step_id]
	before = [other for other in plan.order if other.place < placed.place]
	moved = replace(
		position,
		done=position.done - {step_id},
		anchor_at=to_utc(at),
		reached_step=before[-1].step.id if before else None,
		reached_hours=before[-1].hours if before else 0,
		not_before=None,
		jump_to=step_id,
		waiting_since=None,
	)
	return replace(moved, anchor_hours=placed.hours + _detour(plan, moved))


def pass_over(plan: Plan, position: Position, skip: Skip, at: datetime) -> Position:
	"""Return the position after a step was skipped at `at`; once the plan has ended, nothing leads back into a loop."""
	if skip.reason is SkipReason.CAMPAIGN_ENDED:
		return go_on(plan, position, skip.step_id, at, None)
	return advance(plan, position, skip.step_id, at)


def shift_late(plan: Plan, position: Position, step_id: str, at: datetime) -> Position:
	"""Return the position after a step's email, decided earlier, was sent only at `at`.

	Late is kept late: with Keep Intervals the steps after it are counted from `at`. Nothing changes with Keep Dates, for
	an email that is not of the last handled step, or one that was sent before the moment the steps are counted from.
	"""
	at = to_utc(at)
	if plan.keeps_dates or position.reached_step != step_id or at <= position.anchor_at:
		return position
	return replace(position, anchor_at=at, anchor_hours=position.reached_hours)


def shift(plan: Plan, position: Position, held_from: datetime, held_until: datetime) -> Position:
	"""Return the position after a pause or an absence: the rest of the running delay is kept.

	The delay moves by the length of the pause on the wall clock; a pause before the start does not count. A step that
	was due when the pause began is due when it ends.
	"""
	held_from, held_until = max(to_utc(held_from), position.start), to_utc(held_until)
	if held_until <= held_from:
		return position
	zone = zone_of(plan, position)
	length = to_wall_not_early(held_until, zone) - to_wall_not_early(held_from, zone)
	shifted = _move_anchor(position, length, zone)
	placed = find_next(plan, position)
	if placed is None or _nominal(plan, position, placed, zone) > held_from:
		return shifted
	if _nominal(plan, shifted, placed, zone) <= held_until:
		return shifted
	return replace(position, anchor_at=held_until, anchor_hours=_measured_hours(plan, position, placed))


def next_send_at(plan: Plan, position: Position) -> tuple[str, datetime] | None:
	"""Return the next step and the moment it is planned for, or None when no step is left.

	A step planned after the end of the plan is given the moment the plan ends, when it is to be skipped.
	"""
	placed = find_next(plan, position)
	if placed is None:
		return None
	zone = zone_of(plan, position)
	planned = _planned(plan, position, placed, zone)
	end = end_of_plan(plan, zone)
	return placed.step.id, planned if end is None else min(planned, end)


def planned_schedule(plan: Plan, position: Position) -> list[tuple[str, datetime]]:
	"""Return every step still to come with its moment, if each goes out as planned; none after the plan's end.

	That is the way of an enrollment that meets all conditions, and whose waits end immediately; a loop counts once.
	"""
	zone = zone_of(plan, position)
	end = end_of_plan(plan, zone)
	schedule: list[tuple[str, datetime]] = []
	seen: set[str] = set()
	while (placed := find_next(plan, position)) is not None and placed.step.id not in seen:
		planned = _planned(plan, position, placed, zone)
		if planned == NEVER or (end is not None and planned >= end):
			break
		seen.add(placed.step.id)
		schedule.append((placed.step.id, planned))
		position = advance(plan, position, placed.step.id, _wait_out(placed.step, planned, zone))
	return schedule


def end_date(plan: Plan, position: Position, last_sent_at: datetime | None) -> date:
	"""Return the recipient's day of the last planned step or, if none is left, of the last one sent.

	For live enrollments: one that has ended has no planned steps. If nothing was sent, it is the day of the start.
	"""
	schedule = planned_schedule(plan, position)
	last = schedule[-1][1] if schedule else last_sent_at or position.start
	return to_wall(last, zone_of(plan, position)).date()


def reopens(plan: Plan, position: Position, status: Status) -> bool:
	"""Return whether a completed enrollment has a step to come, because the plan has grown, and re-enters the campaign."""
	return status is Status.COMPLETED and plan.reopen_completed and find_next(plan, position) is not None


def zone_of(plan: Plan, position: Position) -> ZoneInfo:
	"""Return the time zone of this enrollment: the recipient's if it is known, else the plan's."""
	return find_zone(position.timezone or plan.timezone)


def find_next(plan: Plan, position: Position) -> Placed | None:
	"""Return the first step in order that is enabled, not done, and placed after what was reached or from a jump's target on.

	None after an End.
	"""
	return next(_to_come(plan, position), None)


def to_come(plan: Plan, position: Position) -> frozenset[str]:
	"""Return the ids of all steps that this enrollment still gets in order; after the plan's end none."""
	if plan.end_date is not None:
		return frozenset(step_id for step_id, _moment in planned_schedule(plan, position))
	return frozenset(placed.step.id for placed in _to_come(plan, position))


def _to_come(plan: Plan, position: Position) -> Iterator[Placed]:
	last = plan.placed.get(position.reached_step)
	if last is not None and last.step.type is StepType.END and position.jump_to is None:
		return
	reached = place_of(plan, position)
	for placed in plan.order:
		if placed.step.enabled and placed.step.id not in position.done and placed.place > reached:
			yield placed
			if placed.step.type is StepType.END:
				return


def place_of(plan: Plan, position: Position) -> tuple[int, int]:
	"""Return the place that was reached: steps before it are no longer sent.

	A step counts as passed if a later one was handled, later both at that time and in the plan now. So moving a step that
	was sent neither loses a step that was to come nor brings back one that was passed.
	"""
	target = plan.placed.get(position.jump_to)
	if target is not None:
		return (
			target.hours,
			target.row - 1,
		)  # what comes next is the target, or the first enabled step after it
	if position.reached_step is None:
		return NOWHERE
	reached = plan.placed.get(position.reached_step)
	if reached is None:
		return position.reached_hours, -1
	remembered = (position.reached_hours, reached.row)
	if reached.hours == position.reached_hours:
		return remembered
	return min(remembered, _last_done(plan, position).place)


def _last_done(plan: Plan, position: Position) -> Placed:
	done = {*position.done, position.reached_step}
	return max(plan.placed[step_id] for step_id in done if step_id in plan.placed)


def _planned(plan: Plan, position: Position, placed: Placed, zone: ZoneInfo) -> datetime:
	"""Return the moment that the step is planned for: NEVER while a user has paused it, else an allowed one."""
	if placed.step.is_held and placed.step.held_until is None:
		return NEVER
	holds = (placed.step.held_until, position.not_before)
	earliest = max([_nominal(plan, position, placed, zone), *filter(None, holds)])
	return next_allowed(plan, zone, earliest) if placed.step.acts else earliest


def _nominal(plan: Plan, position: Position, placed: Placed, zone: ZoneInfo) -> datetime:
	"""Return the instant of the step before weekdays, window and holidays move it."""
	hours = _measured_hours(plan, position, placed) - position.anchor_hours
	if hours == 0:
		return position.anchor_at
	nominal = from_wall(to_wall(position.anchor_at, zone) + timedelta(hours=hours), zone)
	return max(nominal, position.anchor_at) if hours > 0 else nominal


def _measured_hours(plan: Plan, position: Position, placed: Placed) -> int:
	"""Return the step's hours from the start on the scale of this enrollment.

	They differ from the plan's only if the day of a step was changed after it was sent, with Keep Intervals: a step
	counted from that one keeps its distance, and one that only now comes after it is taken at its present distance.
	And after a jump that does not follow the hours from the start.
	"""
	if plan.placed.get(position.jump_to):
		return placed.hours + _detour(plan, position)
	reached = None if plan.keeps_dates else plan.placed.get(position.reached_step)
	if reached is None or reached.hours == position.reached_hours:
		return placed.hours
	if placed.chain_row <= reached.row < placed.row:
		return position.reached_hours + placed.hours - reached.hours
	if placed.hours >= position.reached_hours:
		return placed.hours
	return position.reached_hours + placed.hours - _last_done(plan, position).hours


def _detour(plan: Plan, position: Position) -> int:
	"""Return by how many hours a jump under way moves what comes after it, against the hours from the start.

	A jump forward to a step that counts from the start keeps their distance. Otherwise the target waits its own days and
	hours from the step before the jump.
	"""
	target = plan.placed.get(position.jump_to)
	if target is None:
		return 0
	left = plan.placed.get(position.reached_step)
	place = position.reached_hours, left.row if left else -1
	if target.chain_row == target.row and target.place > place:
		return 0
	return position.reached_hours + target.step.delay_hours - target.hours


def _has_expired(plan: Plan, step: Step, overdue: timedelta) -> bool:
	limit = step.flow.expires_after_hours
	return plan.keeps_dates and overdue > plan.grace or bool(limit) and overdue > timedelta(hours=limit)


def _wait_out(step: Step, since: datetime, zone: ZoneInfo) -> datetime:
	"""Return the earliest moment at which a step's wait can end."""
	end = step.flow.awaited.find_end(since, zone) if step.flow.awaited else None
	return since if end is None else end


def _move_anchor(position: Position, length: timedelta, zone: ZoneInfo) -> Position:
	"""Move the anchor on the wall clock; by whole days back, with its hours, off a wall time that does not exist."""
	wall, hours = to_wall(position.anchor_at, zone) + length, position.anchor_hours
	while to_wall(from_wall(wall, zone), zone) != wall:
		wall, hours = wall - ONE_DAY, hours - 24
	return replace(position, anchor_at=from_wall(wall, zone), anchor_hours=hours)
