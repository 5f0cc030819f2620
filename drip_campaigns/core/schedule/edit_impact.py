"""What an edit of the schedule does to those on board, reckoned for each place at which somebody stands.

People who stand at the same place fare alike, so a hundred thousand are a few hundred groups. Counting them is the edge's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from drip_campaigns.core.model import Plan, Position, Status
from drip_campaigns.core.schedule import due_steps

_GOING_ON = (Status.SCHEDULED, Status.IN_PROGRESS)


@dataclass(frozen=True)
class Group:
	"""Those who stand at one place: how many, since when they wait, and for what."""

	count: int
	status: Status
	position: Position
	next_send_at: datetime | None  # aware, UTC; as it is stored now
	awaits_confirmation: bool = False
	retries: bool = False  # what failed is tried again at its own time, whatever the schedule says


@dataclass
class Impact:
	"""What an edit does, in numbers of enrollments; by step where a step is meant."""

	gets: Counter[str] = field(
		default_factory=Counter
	)  # a step that is new, or enabled: live ones who get it
	past: Counter[str] = field(default_factory=Counter)  # live ones who are past it and never get it
	loses: Counter[str] = field(default_factory=Counter)  # live ones who do not get it any more
	waits_for: Counter[str] = field(default_factory=Counter)  # live ones who get a step that stays
	reopened: int = 0
	later: int = 0
	earlier: int = 0
	finished: int = 0  # live ones to whom nothing is sent any more


def measure_impact(
	before: Plan, after: Plan, groups: Iterable[Group], as_stored: Callable[[datetime], datetime]
) -> Impact:
	"""Return what changing the plan `before` into `after` does to those who stand in `groups`.

	`as_stored` says which moment a planned one is when it is read back from where it was stored.
	"""
	weighing = _Weighing(before, after, as_stored)
	for group in groups:
		weighing.add(group)
	return weighing.impact


class _Weighing:
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
		"""As `schedule.to_come`, which without an end of the plan asks for the place alone, and not for the time."""
		key = (
			*(id(plan), position.done, position.reached_step, position.reached_hours),
			position.jump_to,  # behind one wait, some go one way and some the other
		)
		if plan.end_date is not None:
			key = (id(plan), position)
		if key not in self._known:
			self._known[key] = due_steps.to_come(plan, position)
		return self._known[key]


def _active(plan: Plan) -> set[str]:
	return {step.id for step in plan.steps if step.enabled}
