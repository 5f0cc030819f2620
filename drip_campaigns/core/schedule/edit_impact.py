"""What an edit of the schedule changes for the people in the campaign, computed for each place in it.

The result is the same for all people at one place, so a hundred thousand people are a few hundred groups. The caller
counts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from drip_campaigns.core.flow.forecast import find_steps_to_come
from drip_campaigns.core.model import Plan, Position, Status
from drip_campaigns.core.schedule import due_steps

_GOING_ON = (Status.SCHEDULED, Status.IN_PROGRESS)


@dataclass(frozen=True)
class Group:
	"""The people at one place: how many, their position, and what their enrollments store."""

	count: int
	status: Status
	position: Position
	next_send_at: datetime | None  # aware, UTC; as it is stored now
	awaits_confirmation: bool = False
	retries: bool = False  # a failed step is tried again at its own time


@dataclass
class Impact:
	"""What an edit changes, in numbers of enrollments, and by step for single steps."""

	gets: Counter[str] = field(
		default_factory=Counter
	)  # a new or newly enabled step: live enrollments that can still get it
	past: Counter[str] = field(default_factory=Counter)  # live enrollments past it, which never get it
	loses: Counter[str] = field(default_factory=Counter)  # live enrollments that no longer get it
	waits_for: Counter[str] = field(
		default_factory=Counter
	)  # live enrollments that still get a step that remains
	reopened: int = 0
	later: int = 0
	earlier: int = 0
	finished: int = 0  # live enrollments with no step left


def measure_impact(
	before: Plan, after: Plan, groups: Iterable[Group], as_stored: Callable[[datetime], datetime]
) -> Impact:
	"""Return what changing the plan `before` into `after` changes for `groups`.

	`as_stored` returns a planned moment as the database would return it after storing it.
	"""
	counter = _ImpactCounter(before, after, as_stored)
	for group in groups:
		counter.add(group)
	return counter.impact


class _ImpactCounter:
	def __init__(self, before: Plan, after: Plan, as_stored: Callable[[datetime], datetime]) -> None:
		self.before, self.after, self.as_stored = before, after, as_stored
		self.impact = Impact()
		self.added = _active(after) - _active(before)
		self._known: dict[tuple, frozenset[str]] = {}

	def add(self, group: Group) -> None:
		if group.status is Status.COMPLETED:
			self.impact.reopened += group.count * due_steps.reopens(self.after, group.position, group.status)
			return
		had, has = self._to_come(self.before, group.position), self._to_come(self.after, group.position)
		for step in self.added:
			(self.impact.gets if step in has else self.impact.past)[step] += group.count
		for step in had - has:
			self.impact.loses[step] += group.count
		for step in has & had:
			self.impact.waits_for[step] += group.count
		self.impact.finished += group.count * (bool(had) and not has)
		is_going_on = group.status in _GOING_ON and not group.awaits_confirmation
		if is_going_on and has and self.before != self.after:
			self._compare_moments(group)

	def _compare_moments(self, group: Group) -> None:
		following = due_steps.next_send_at(self.after, group.position)
		if following is None or group.next_send_at is None:
			return
		moment = self.as_stored(following[1])
		if group.retries:
			moment = max(moment, group.next_send_at)
		self.impact.later += group.count * (moment > group.next_send_at)
		self.impact.earlier += group.count * (moment < group.next_send_at)

	def _to_come(self, plan: Plan, position: Position) -> frozenset[str]:
		"""As `find_steps_to_come`. Without an end date, the result depends on the place alone, and not on the time."""
		key = (
			*(id(plan), position.done, position.reached_step, position.reached_hours),
			position.jump_to,  # after one wait, people can go different ways
		)
		if plan.end_date is not None:
			key = (id(plan), position)
		if key not in self._known:
			self._known[key] = find_steps_to_come(plan, position)
		return self._known[key]


def _active(plan: Plan) -> set[str]:
	return {step.id for step in plan.steps if step.enabled}
