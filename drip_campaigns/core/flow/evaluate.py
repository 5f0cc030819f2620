"""What the flow makes of a step whose moment has come: carry it out, go another way, wait, or leave.

The schedule says when (`schedule.py`); this says whether and where to. Nothing is stored here: the caller carries the
decision out with `schedule.go_on` and decides again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from drip_campaigns.core.flow.condition_test import ConditionData, Test
from drip_campaigns.core.flow.step_flow import OnTimeout, Otherwise, WaitCondition
from drip_campaigns.core.model import Plan, Position, Reach, Send, Step, StepType, Wait
from drip_campaigns.core.schedule.due_steps import zone_of
from drip_campaigns.core.schedule.send_window import end_of_plan
from drip_campaigns.core.schedule.wall_clock import from_wall, next_time_of_day, start_of_day, to_wall

FIELD_POLL = timedelta(hours=1)  # a field can change without anybody telling us
LOOK_AGAIN = timedelta(days=1)  # what wakes a wait may be lost; a look is cheap


@dataclass(frozen=True)
class Branch:
	"""Do not carry out this step, because of `unmet`: go on at `target`, or pass over it for good if that is None."""

	step_id: str
	planned_at: datetime
	unmet: Test
	target: str | None


@dataclass(frozen=True)
class WaitOver:
	"""The wait of this step was over at `at`: go on at `target`, or at the next in order."""

	step_id: str
	planned_at: datetime
	at: datetime
	in_vain: bool
	target: str | None


@dataclass(frozen=True)
class ExitCampaign:
	"""The enrollment ends at this step: a condition is not met or, without one, a wait was in vain."""

	step_id: str
	unmet: Test | None


FlowDecision = Send | Reach | Branch | WaitOver | ExitCampaign | Wait


def evaluate_step(
	plan: Plan, position: Position, due: Send | Reach, facts: ConditionData, now: datetime
) -> FlowDecision:
	"""Return what becomes of the step that is `due`. Conditions are asked when it is reached, and not again in a wait."""
	step = plan.placed[due.step_id].step
	unmet = None
	if step.flow.conditions and position.waiting_since is None:
		unmet = step.flow.conditions.find_unmet(facts, now)
	if unmet is not None:
		return _divert(plan, step, due.planned_at, unmet)
	if step.type is StepType.WAIT and step.flow.awaited:
		return _wait(plan, position, step, due.planned_at, facts, now)
	return due


def begin_waiting(position: Position, due: Reach | Send) -> Position:
	"""Return the position of one that is held up by its next step from now on; of one that is already, as it is."""
	return position if position.waiting_since else replace(position, waiting_since=due.planned_at)


def _divert(plan: Plan, step: Step, planned_at: datetime, unmet: Test) -> Branch | ExitCampaign:
	if step.flow.otherwise is Otherwise.EXIT:
		return ExitCampaign(step.id, unmet)
	target = None
	if step.flow.otherwise is Otherwise.GO_TO_STEP:
		target = plan.ids.get(step.flow.otherwise_step)
	elif step.type is StepType.END:  # nothing follows an End but what one is sent to
		place = plan.placed[step.id].place
		target = next((one.step.id for one in plan.order if one.step.enabled and one.place > place), None)
	return Branch(step.id, planned_at, unmet, target)


def _wait(
	plan: Plan, position: Position, step: Step, began: datetime, facts: ConditionData, now: datetime
) -> FlowDecision:
	awaited, zone = step.flow.awaited, zone_of(plan, position)
	limit = None
	if awaited.limit_hours:
		limit = from_wall(to_wall(began, zone) + timedelta(hours=awaited.limit_hours), zone)
	ended, look = _look(awaited, position, began, facts, zone, now)
	if ended is not None and (limit is None or ended <= limit or awaited.field):
		return WaitOver(step.id, began, ended, False, plan.ids.get(step.flow.next_step))
	if limit is not None and now >= limit:
		return _give_up(plan, step, began, limit)
	ends = [moment for moment in (look, limit, end_of_plan(plan, zone)) if moment is not None]
	return Wait(step.id, min(ends))


def _look(
	awaited: WaitCondition,
	position: Position,
	began: datetime,
	facts: ConditionData,
	zone: Any,
	now: datetime,
) -> tuple[datetime | None, datetime]:
	"""Return when the wait has ended, if it has, and when to look again otherwise."""
	if awaited.event:
		since = position.start if awaited.counts_from_start else position.waiting_since or began
		happened = awaited.event.first(facts, since)
		return (max(happened, began) if happened else None), now + LOOK_AGAIN
	if awaited.field:
		return (now if awaited.field.is_met(facts, now) else None), now + FIELD_POLL
	if awaited.clock is not None:
		moment = next_time_of_day(began, awaited.clock, zone)
	else:
		moment = _moment_of(facts.day_of(awaited.date_field), awaited.days, zone)
	if moment is None:
		return None, now + LOOK_AGAIN
	return (max(moment, began) if moment <= now else None), min(moment, now + LOOK_AGAIN)


def _moment_of(value: Any, days: int, zone: Any) -> datetime | None:
	"""Return so many days after a date's first minute, or after a moment, as the clock of `zone` counts days."""
	if isinstance(value, str) and value:
		value = datetime.fromisoformat(value) if len(value) > len("2026-01-01") else date.fromisoformat(value)
	if isinstance(value, datetime):
		wall = to_wall(value, zone) if value.tzinfo else value
		return from_wall(wall + timedelta(days=days), zone)
	return start_of_day(value + timedelta(days=days), zone) if isinstance(value, date) else None


def _give_up(plan: Plan, step: Step, began: datetime, at: datetime) -> WaitOver | ExitCampaign:
	awaited = step.flow.awaited
	if awaited.in_vain is OnTimeout.EXIT:
		return ExitCampaign(step.id, None)
	goes = awaited.in_vain is OnTimeout.GO_TO_STEP
	return WaitOver(
		step.id, began, at, True, plan.ids.get(awaited.in_vain_step if goes else step.flow.next_step)
	)
