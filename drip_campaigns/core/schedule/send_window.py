"""When sending is allowed: start date, weekdays, window and holidays of a plan, on the clock of one zone.

A moment is allowed if, on the wall clock, its day is allowed and its time is in the window. `due_steps.py` moves the
steps accordingly.
"""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from drip_campaigns.core.errors import NoAllowedMomentError
from drip_campaigns.core.model import Plan
from drip_campaigns.core.schedule.wall_clock import (
	MIDNIGHT,
	ONE_DAY,
	UTC,
	change_on,
	from_wall,
	start_of_day,
	to_wall,
)

SEARCH_DAYS = 2 * 366


def is_allowed(plan: Plan, wall: datetime) -> bool:
	"""Return whether `plan` allows sending when the recipient's clock shows `wall`."""
	if not _is_allowed_day(plan, wall.date()) or _is_quiet(plan, wall.time()):
		return False
	if plan.window is None:
		return True
	opening, closing = plan.window
	return opening <= wall.time() and (closing == MIDNIGHT or wall.time() < closing)


def next_allowed(plan: Plan, zone: ZoneInfo, moment: datetime) -> datetime:
	"""Return the first allowed instant that is not before `moment`; raise NoAllowedMomentError after two years."""
	if plan.is_unrestricted and plan.start_date is None:
		return moment
	wall = to_wall(moment, zone)
	if is_allowed(plan, wall):
		return moment
	day = wall.date() if plan.start_date is None else max(wall.date(), plan.start_date)
	for _ in range(SEARCH_DAYS):
		opening = _find_opening(plan, zone, day, moment)
		if opening is not None:
			return opening
		day += ONE_DAY
	raise NoAllowedMomentError(field="weekdays")


def end_of_plan(plan: Plan, zone: ZoneInfo) -> datetime | None:
	"""Return the first instant after the last day of the plan, or None for a plan without an end."""
	return None if plan.end_date is None else start_of_day(plan.end_date + ONE_DAY, zone)


def _is_allowed_day(plan: Plan, day: date) -> bool:
	if plan.start_date is not None and day < plan.start_date:
		return False
	return day.weekday() in plan.weekdays and day not in plan.holidays


def _is_quiet(plan: Plan, at: time) -> bool:
	if plan.quiet is None:
		return False
	begins, ends = plan.quiet
	return begins <= at < ends if begins < ends else at >= begins or at < ends


def _find_opening(plan: Plan, zone: ZoneInfo, day: date, moment: datetime) -> datetime | None:
	"""Return the first instant from `moment` on at which sending becomes allowed on `day`.

	That is the opening of the window or the end of the quiet hours or, on a day on which the clocks change, perhaps its
	second pass or the change.
	"""
	change = change_on(day, zone)
	if change is None and not _is_allowed_day(plan, day):
		return None
	times = [plan.window[0] if plan.window else MIDNIGHT, *([plan.quiet[1]] if plan.quiet else [])]
	openings = [datetime.combine(day, at) for at in times]
	instants = [from_wall(opening, zone) for opening in openings]
	if change is not None:
		instants += [opening.replace(tzinfo=zone, fold=1).astimezone(UTC) for opening in openings]
		instants.append(change)
	return min(
		(instant for instant in instants if instant >= moment and is_allowed(plan, to_wall(instant, zone))),
		default=None,
	)
