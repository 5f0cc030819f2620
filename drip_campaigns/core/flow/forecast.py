"""When an enrollment can reach each step: a range where conditions and waits decide. Values only.

The search follows every decision that the flow can make (`evaluate.find_outcomes`) through the same schedule as the
dispatch (`turn.Schedule`). A wait without a limit and a loop give a range without an end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from drip_campaigns.core.flow.evaluate import ExitCampaign, find_outcomes
from drip_campaigns.core.flow.flow_checks import find_looped
from drip_campaigns.core.flow.turn import Schedule
from drip_campaigns.core.model import ALL_WEEKDAYS, Plan, Position, Reach, Send, Skip, SkipReason, Wait
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.core.schedule.wall_clock import UTC

MOST_STATES = 5000  # in one search; a flow with more ways gets ranges without an end
ANY_MIDNIGHT = datetime(2001, 1, 1, tzinfo=UTC)  # of a day that represents any: UTC changes no clocks
ONE_HOUR, ONE_MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True)
class Arrival:
	"""An enrollment reaches a step at `earliest` or later: until `latest`, or at any time if that is None."""

	earliest: datetime
	latest: datetime | None

	@property
	def is_exact(self) -> bool:
		"""Whether the moment depends on nothing but the schedule."""
		return self.earliest == self.latest


@dataclass(frozen=True)
class Offset:
	"""Hours from the start of an enrollment to a step: at least `earliest`, and at most `latest` or, if None, any."""

	earliest: int
	latest: int | None


def find_arrivals(
	plan: Plan, position: Position, now: datetime, *, awaits_todo: bool = False
) -> dict[str, Arrival]:
	"""Return each step that an enrollment can still reach from `now` on, whatever its conditions and waits decide."""
	return _Search(plan).follow(position, now, is_open=awaits_todo)


def find_steps_to_come(plan: Plan, position: Position) -> frozenset[str]:
	"""Return the ids of the steps that an enrollment can still reach; none after the plan's end."""
	if plan.has_jumps:
		return frozenset(find_arrivals(plan, position, position.anchor_at))
	return due_steps.to_come(plan, position)


def find_offsets(plan: Plan) -> dict[str, Offset]:
	"""Return how long after the start each step comes, before weekdays, window, holidays and dates move it.

	A step that no way leads to is missing. A disabled step gets the offset that it would have if all were enabled.
	"""
	offsets = _find_enabled_offsets(plan)
	if all(step.enabled for step in plan.steps):
		return offsets
	enabled = replace(plan, steps=tuple(replace(step, enabled=True) for step in plan.steps))
	disabled = {step.id for step in plan.steps if not step.enabled}
	others = _find_enabled_offsets(enabled)
	return offsets | {step_id: offset for step_id, offset in others.items() if step_id in disabled}


def _find_enabled_offsets(plan: Plan) -> dict[str, Offset]:
	free = _remove_restrictions(plan)
	offsets: dict[str, Offset] = {}
	for start in _find_starts(plan):
		for step_id, arrival in find_arrivals(free, due_steps.begin(start, None), start).items():
			earliest = (arrival.earliest - start) // ONE_HOUR
			latest = arrival.latest and -((start - arrival.latest) // ONE_HOUR)  # rounded up
			known = offsets.get(step_id, Offset(earliest, latest))
			offsets[step_id] = Offset(min(known.earliest, earliest), _find_later(known.latest, latest))
	return offsets


def _remove_restrictions(plan: Plan) -> Plan:
	steps = tuple(replace(step, held_until=None) for step in plan.steps)
	days = {"weekdays": ALL_WEEKDAYS, "holidays": frozenset(), "start_date": None, "end_date": None}
	return replace(plan, steps=steps, timezone="UTC", window=None, quiet=None, **days)


def _find_starts(plan: Plan) -> set[datetime]:
	"""Return the starts between which a wait for a time of day takes the least and the most time.

	With delays in hours, a wait begins at another hour of the day than the enrollment, so each hour is tried.
	"""
	waits = [step.flow.awaited for step in plan.steps if step.flow.awaited]
	clocks = [clock for awaited in waits for clock in awaited.times_of_day]
	delays = [step.send_after_hours for step in plan.steps] + [awaited.limit_hours for awaited in waits]
	hours = range(24) if any(delay % 24 for delay in delays) else (0,)
	exact = {
		ANY_MIDNIGHT,
		*(datetime.combine(ANY_MIDNIGHT, clock, UTC) + ONE_HOUR * hour for clock in clocks for hour in hours),
	}
	return exact | {start + ONE_MINUTE for start in exact if clocks}


def _find_later(one, other):
	return None if one is None or other is None else max(one, other)


class _Search:
	"""Follows every way through a plan, the earliest moment first."""

	def __init__(self, plan: Plan) -> None:
		paused = {step.id for step in plan.steps if step.is_held and step.held_until is None}
		steps = tuple(replace(step, is_held=False) if step.id in paused else step for step in plan.steps)
		self._schedule = Schedule(replace(plan, steps=steps) if paused else plan)
		self._looped = find_looped(plan) if plan.has_jumps else frozenset()
		self._open_steps = paused | self._looped
		self._arrivals: dict[str, Arrival] = {}
		self._states: list[tuple[datetime, int, Position, bool]] = []
		self._seen: set[tuple] = set()
		self._number = count()

	def follow(self, position: Position, now: datetime, *, is_open: bool) -> dict[str, Arrival]:
		"""Return when each step can be reached from a position; with `is_open`, that can begin at any time after `now`."""
		self._add(now, position, is_open)
		for _state in range(MOST_STATES):
			if not self._states:
				return self._arrivals
			at, _number, position, is_open = heappop(self._states)
			self._visit(at, position, is_open)
		return {step: replace(arrival, latest=None) for step, arrival in self._arrivals.items()}

	def _add(self, at: datetime, position: Position, is_open: bool) -> None:
		known = (
			at,
			replace(position, done=frozenset()),
			is_open,
		)  # steps that were done are behind the position
		if known not in self._seen:
			self._seen.add(known)
			heappush(self._states, (at, next(self._number), position, is_open))

	def _visit(self, at: datetime, position: Position, is_open: bool) -> None:
		decision = self._schedule.decide(position, at)
		if isinstance(decision, Wait):
			self._add(decision.until, position, is_open)
		elif isinstance(decision, Send | Reach):
			self._reach(decision, at, position, is_open)
		elif isinstance(decision, Skip) and decision.reason is not SkipReason.CAMPAIGN_ENDED:
			self._add(at, self._schedule.pass_step(position, decision, at), is_open)

	def _reach(self, due: Send | Reach, at: datetime, position: Position, is_open: bool) -> None:
		is_open |= due.step_id in self._open_steps
		known = self._arrivals.get(due.step_id)
		latest = None if is_open else at
		if known is None:
			self._arrivals[due.step_id] = Arrival(at, latest)
		else:
			self._arrivals[due.step_id] = replace(known, latest=_find_later(known.latest, latest))
			if due.step_id in self._looped:
				return  # the first time was the earliest
		for outcome in find_outcomes(self._schedule.plan, position, due, at):
			if not isinstance(outcome.decision, ExitCampaign):
				after = self._schedule.pass_step(position, outcome.decision, outcome.at)
				self._add(outcome.at, after, is_open or outcome.is_open)
