"""Decide what happens at a step whose moment has come: carry it out, go to another step, wait, or exit.

`due_steps.py` decides when a step is due; this decides whether it runs and which step follows. `turn.py` carries the
decision out on the position and decides again. Nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from drip_campaigns.core.flow.condition_test import ConditionData, Test
from drip_campaigns.core.flow.step_flow import Otherwise
from drip_campaigns.core.flow.wait_kind import Awaited, OnTimeout, Waiting
from drip_campaigns.core.model import Plan, Position, Reach, Send, Step, StepType, Wait
from drip_campaigns.core.schedule.due_steps import zone_of
from drip_campaigns.core.schedule.send_window import end_of_plan
from drip_campaigns.core.schedule.wall_clock import from_wall, to_wall


@dataclass(frozen=True)
class Branch:
	"""Do not carry out this step, because of `unmet`: go to `target`, or skip the step for good if that is None."""

	step_id: str
	planned_at: datetime
	unmet: Test
	target: str | None


@dataclass(frozen=True)
class WaitOver:
	"""The wait of this step ended at `at`, by its limit if `timed_out`: go to `target`, or to the next step in order."""

	step_id: str
	planned_at: datetime
	at: datetime
	timed_out: bool
	target: str | None


@dataclass(frozen=True)
class ExitCampaign:
	"""The enrollment ends at this step: the condition `unmet` or, without one, a wait that timed out."""

	step_id: str
	unmet: Test | None


FlowDecision = Send | Reach | Branch | WaitOver | ExitCampaign | Wait


@dataclass(frozen=True)
class Outcome:
	"""A decision that can be made at a step, and its earliest moment; `is_open` if it can be any later one."""

	decision: FlowDecision
	at: datetime
	is_open: bool = False


def evaluate_step(
	plan: Plan, position: Position, due: Send | Reach, data: ConditionData, now: datetime
) -> FlowDecision:
	"""Return what happens at the step that is `due`. Conditions are checked when a step is reached, and not during its wait."""
	step = plan.placed[due.step_id].step
	unmet = None
	if step.flow.conditions and position.waiting_since is None:
		unmet = step.flow.conditions.find_unmet(data, now)
	if unmet is not None:
		return _divert(plan, step, due.planned_at, unmet)
	if step.type is StepType.WAIT and step.flow.awaited:
		return _wait(plan, position, step, due.planned_at, data, now)
	return due


def find_outcomes(plan: Plan, position: Position, due: Send | Reach, now: datetime) -> Iterator[Outcome]:
	"""Yield every decision that `evaluate_step` can come to, from `now` on, whatever becomes known of the recipient."""
	step = plan.placed[due.step_id].step
	if step.flow.conditions and position.waiting_since is None:
		yield Outcome(_divert(plan, step, due.planned_at, step.flow.conditions.tests[0]), now)
	if step.type is StepType.WAIT and step.flow.awaited:
		yield from _find_wait_outcomes(plan, position, step, due.planned_at, now)
	else:
		yield Outcome(due, now, is_open=step.waits_for_todo)


def _find_wait_outcomes(
	plan: Plan, position: Position, step: Step, began: datetime, now: datetime
) -> Iterator[Outcome]:
	awaited, zone = step.flow.awaited, zone_of(plan, position)
	limit, target = _limit_of(awaited, began, zone), plan.ids.get(step.flow.next_step)
	moment = awaited.find_end(began, zone)
	if moment is not None:
		if limit is None or moment <= limit:
			yield Outcome(WaitOver(step.id, began, moment, False, target), max(moment, now))
			return
	else:
		yield Outcome(WaitOver(step.id, began, now, False, target), now, is_open=limit is None)
		if limit is not None:
			yield Outcome(WaitOver(step.id, began, limit, False, target), max(limit, now))
	if limit is not None:
		yield Outcome(_time_out(plan, step, began, limit), max(limit, now))


def begin_waiting(position: Position, due: Reach | Send) -> Position:
	"""Return the position of an enrollment that waits at its next step; unchanged if it waits already."""
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
	plan: Plan, position: Position, step: Step, began: datetime, data: ConditionData, now: datetime
) -> FlowDecision:
	awaited, zone = step.flow.awaited, zone_of(plan, position)
	limit = _limit_of(awaited, began, zone)
	reached = position.waiting_since or began
	ended, look = awaited.look(Waiting(data, position.start, reached, began, zone, now))
	if ended is not None and (limit is None or ended <= limit or awaited.counts_late):
		return WaitOver(step.id, began, ended, False, plan.ids.get(step.flow.next_step))
	if limit is not None and now >= limit:
		return _time_out(plan, step, began, limit)
	ends = [moment for moment in (look, limit, end_of_plan(plan, zone)) if moment is not None]
	return Wait(step.id, min(ends))


def _limit_of(awaited: Awaited, began: datetime, zone: Any) -> datetime | None:
	if not awaited.limit_hours:
		return None
	return from_wall(to_wall(began, zone) + timedelta(hours=awaited.limit_hours), zone)


def _time_out(plan: Plan, step: Step, began: datetime, at: datetime) -> WaitOver | ExitCampaign:
	awaited = step.flow.awaited
	if awaited.on_timeout is OnTimeout.EXIT:
		return ExitCampaign(step.id, None)
	goes_elsewhere = awaited.on_timeout is OnTimeout.GO_TO_STEP
	label = awaited.on_timeout_step if goes_elsewhere else step.flow.next_step
	return WaitOver(step.id, began, at, True, plan.ids.get(label))
