"""The schedule once more, as naively as possible: walk along the calendar in half hours and look at everything.

Written from the rules in docs/guide/schedule.md, without anything of `drip_campaigns.core` but its words. It remembers the
whole history and no position, finds wall times by looking at clocks, and allowed moments by trying one after the
other. It covers what can be said simply: no day of a step that was sent is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from drip_campaigns.core.model import CountedFrom, IfLate, Plan

HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True)
class Run:
	"""What the dispatch meets when it runs: the plan as it stands then."""

	at: datetime
	plan: Plan


@dataclass
class History:
	"""What was done: (step, planned, at) and (step, at)."""

	sent: list[tuple[str, datetime, datetime]] = field(default_factory=list)
	skipped: list[tuple[str, datetime]] = field(default_factory=list)
	finished: bool = False


class Reference:
	"""One enrollment whose every run looks at the whole history again."""

	def __init__(self, start: datetime, zone: str) -> None:
		self.start, self.zone = start, ZoneInfo(zone)
		self.history = History()
		self.dealt: dict[
			str, tuple[float, datetime]
		] = {}  # step: its hours when dealt with, and when that was
		self.held: list[tuple[datetime, timedelta]] = []  # when a pause ended, and its length on the wall

	def run(self, run: Run) -> None:
		"""Do whatever is due."""
		while self._take_step(run.plan, run.at):
			pass

	def pause(self, held_from: datetime, held_until: datetime) -> None:
		"""Note a pause; clocks must not change in it."""
		self.held.append((held_until, max(held_until - max(held_from, self.start), timedelta(0))))

	def _take_step(self, plan: Plan, now: datetime) -> bool:
		waiting = [(hours, row, step) for hours, row, step in offsets(plan) if self._is_to_come(plan, step)]
		self.history.finished = not waiting
		if not waiting:
			return False
		hours, _, step = min(waiting)
		planned = next(
			moment for moment in half_hours(self._nominal(plan, hours)) if self._is_allowed(plan, moment)
		)
		if plan.end_date is not None and self._wall(now).date() > plan.end_date:
			return self._deal(step, hours, now, skip=True)
		if planned > now:
			return False
		if plan.if_late is IfLate.KEEP_DATES and now - planned > plan.grace:
			return self._deal(step, hours, now, skip=True)
		if not self._is_allowed(plan, now):
			return False
		self.history.sent.append((step, planned, now))
		return self._deal(step, hours, now, skip=False)

	def _is_to_come(self, plan: Plan, step: str) -> bool:
		places = {other: (hours, row) for hours, row, other in offsets(plan)}
		enabled = {other.id for other in plan.steps if other.enabled}
		is_passed = any(places[other] > places[step] for other in self.dealt)
		return step in enabled and step not in self.dealt and not is_passed

	def _nominal(self, plan: Plan, hours: float) -> datetime:
		since, base, earliest = self.start, 0.0, self.start
		if plan.if_late is IfLate.KEEP_INTERVALS and self.dealt:
			base, since = list(self.dealt.values())[-1]
			earliest = since
		moved = sum((length for ended, length in self.held if ended > since), timedelta(0))
		wall = self._wall(since) + timedelta(hours=hours - base) + moved
		return max(earliest, self._instant(wall))

	def _deal(self, step: str, hours: float, now: datetime, skip: bool) -> bool:
		self.dealt[step] = (hours, now)
		if skip:
			self.history.skipped.append((step, now))
		return True

	def _wall(self, moment: datetime) -> datetime:
		return moment.astimezone(self.zone).replace(tzinfo=None)

	def _instant(self, wall: datetime) -> datetime:
		"""Look at every clock that might show it; the first that does, else the clock of the day before."""
		moment = wall.replace(tzinfo=timezone.utc) - timedelta(hours=26)
		for instant in half_hours(moment, hours=54):
			if self._wall(instant) == wall:
				return instant
		behind = (
			next(moment for moment in half_hours(moment, hours=54) if self._wall(moment) > wall) - HALF_HOUR
		)
		return behind + (wall - self._wall(behind))

	@staticmethod
	def _is_between(wall: datetime, begins: time, ends: time) -> bool:
		"""Walk from the beginning around the clock to the end, and see whether this time of the day is met."""
		minutes = [limit.hour * 60 + limit.minute for limit in (begins, ends, wall)]
		return (minutes[2] - minutes[0]) % 1440 < (minutes[1] - minutes[0]) % 1440

	def _is_allowed(self, plan: Plan, moment: datetime) -> bool:
		wall = self._wall(moment)
		if plan.start_date is not None and wall.date() < plan.start_date:
			return False
		if wall.weekday() not in plan.weekdays or wall.date() in plan.holidays:
			return False
		if plan.quiet and self._is_between(wall, *plan.quiet):
			return False
		if plan.window is None:
			return True
		opening, closing = (limit.hour * 60 + limit.minute for limit in plan.window)
		return opening <= wall.hour * 60 + wall.minute < (closing or 24 * 60)


def offsets(plan: Plan) -> Iterator[tuple[float, int, str]]:
	"""Yield each step's hours from the start, its row and its id."""
	hours = 0.0
	for row, step in enumerate(plan.steps):
		hours = hours if step.counted_from is CountedFrom.PREVIOUS_STEP else 0.0
		hours += step.send_after_days * 24 + step.send_after_hours
		yield hours, row, step.id


def half_hours(moment: datetime, hours: int = 24 * 60) -> Iterator[datetime]:
	"""Yield the moments half an hour apart from this one on."""
	for number in range(hours * 2):
		yield moment + HALF_HOUR * number
