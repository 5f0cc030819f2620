"""Plans, moments and positions in few words, for the tests of the core."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from drip_campaigns.core.model import CountedFrom, Finish, Plan, Position, Reach, Send, Skip, Step, Wait
from drip_campaigns.core.schedule.due_steps import advance, begin, decide
from drip_campaigns.core.schedule.wall_clock import from_wall

BERLIN = "Europe/Berlin"
WORKDAYS = frozenset(range(5))


def at(wall: str, zone: str = BERLIN) -> datetime:
	"""Return the instant at which the clock of `zone` shows `wall`, such as "2026-03-27 10:00"."""
	return from_wall(datetime.fromisoformat(wall), ZoneInfo(zone))


def day(text: str) -> date:
	"""Return the day of an ISO text."""
	return date.fromisoformat(text)


def on_days(**days: int) -> tuple[Step, ...]:
	"""Return steps counted from the start: on_days(a=0, b=3)."""
	return tuple(Step(step_id, days_after) for step_id, days_after in days.items())


def after(step_id: str, days: int = 0, hours: int = 0) -> Step:
	"""Return a step that counts from the previous one."""
	return Step(step_id, days, hours, CountedFrom.PREVIOUS_STEP)


def make_plan(*steps: Step, timezone: str = BERLIN, **rules: object) -> Plan:
	"""Return a plan of these steps, in Berlin unless said otherwise."""
	return Plan(steps, timezone, **rules)


def started(wall: str, zone: str = BERLIN, timezone: str | None = None) -> Position:
	"""Return the position of somebody who starts when the clock of `zone` shows `wall`."""
	return begin(at(wall, zone), timezone)


def send_due(plan: Plan, position: Position, now: datetime) -> tuple[Position, list[str]]:
	"""Carry out all that is due at `now`; return the position and what was done: "a" or "-a" for a skipped a."""
	done = []
	while isinstance(decision := decide(plan, position, now), (Send, Reach, Skip)):
		done.append(f"-{decision.step_id}" if isinstance(decision, Skip) else decision.step_id)
		position = advance(plan, position, decision.step_id, now)
	assert isinstance(decision, (Wait, Finish))
	return position, done
