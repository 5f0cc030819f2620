"""The frequency cap of one address over all campaigns: rules in, moments out. The caller counts the emails.

Days are calendar days on the recipient's clock. A deferred email keeps its time of day and moves to another day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from drip_campaigns.core.schedule.wall_clock import ONE_DAY, from_wall, start_of_day, to_wall

LONGEST_DAYS = 60


@dataclass(frozen=True)
class Cap:
	"""At most `count` emails in any `days` calendar days, today included."""

	count: int
	days: int


@dataclass(frozen=True)
class Since:
	"""A cap on one recipient's calendar: at most `count` from the moment `at` on."""

	cap: Cap
	at: datetime


def find_caps(count: int, days: int, *, one_per_day: bool) -> tuple[Cap, ...]:
	"""Return the caps from the settings. A count of 0 or empty means no cap; days of 0 or empty mean one day."""
	caps = [Cap(count, max(days, 1))] if count > 0 else []
	if one_per_day and Cap(1, 1) not in caps:
		caps.append(Cap(1, 1))
	return tuple(caps)


def since(caps: Iterable[Cap], zone: ZoneInfo, now: datetime) -> list[Since]:
	"""Return each cap with the beginning of its days that end today in `zone`."""
	today = to_wall(now, zone).date()
	return [Since(cap, start_of_day(today - ONE_DAY * (cap.days - 1), zone)) for cap in caps]


def free_from(
	caps: Iterable[Cap], sent: Sequence[datetime], zone: ZoneInfo, planned: datetime, now: datetime
) -> datetime:
	"""Return the first moment at which every cap allows an email, if nothing else is sent: `now` if it does now.

	`sent` are the moments of the emails that count. On another day than today, the time of day is that of `planned`.
	"""
	today = to_wall(now, zone).date()
	days = sorted(to_wall(moment, zone).date() for moment in sent)
	day = max([_free_day(cap, days, today) for cap in caps], default=today)
	if day <= today:
		return now
	return from_wall(datetime.combine(day, to_wall(planned, zone).time()), zone)


def _free_day(cap: Cap, days: Sequence[date], today: date) -> date:
	counted = [day for day in days if day > today - timedelta(days=cap.days)]
	if len(counted) < cap.count:
		return today
	return counted[-cap.count] + timedelta(days=cap.days)
