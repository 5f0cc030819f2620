"""How often one address may be written to, over all campaigns: rules in, moments out. Counting is the edge's.

Days are calendar days on the recipient's clock. What is held back keeps its time of the day: the day is moved.
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
	"""Return the caps that the settings mean. A count of 0 or empty is no cap; days of 0 or empty are one day."""
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
	"""Return the first moment at which every cap has room again, if nothing else is sent: `now` if it is now.

	`sent` are the moments that count already. Of another day than today, the wall time is that of `planned`.
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
