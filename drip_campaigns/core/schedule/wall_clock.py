"""Between instants and the clock on the wall. Nothing here reads a clock: every moment is an argument.

An instant is an aware datetime, kept in UTC; a wall time is a naive datetime that a zone gives its meaning.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from drip_campaigns.core.errors import NaiveMomentError, UnknownTimeZoneError

UTC = timezone.utc
MIDNIGHT = time(0)
NEVER = datetime(9999, 1, 1, tzinfo=timezone.utc)  # of a step that waits until a user resumes it
ONE_DAY = timedelta(days=1)


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo:
	"""Return the zone of an IANA name such as "Europe/Berlin"; raise UnknownTimeZoneError for any other."""
	try:
		return ZoneInfo(name)
	except (KeyError, ValueError, OSError, TypeError) as error:
		raise UnknownTimeZoneError(f"There is no time zone named {name!r}.", field="timezone") from error


def to_utc(moment: datetime) -> datetime:
	"""Return the same instant in UTC; raise NaiveMomentError for a moment without an offset."""
	if moment.tzinfo is None:
		raise NaiveMomentError(f"The moment {moment.isoformat()} does not say its time zone.")
	return moment.astimezone(UTC)


def to_wall(moment: datetime, zone: ZoneInfo) -> datetime:
	"""Return what the clock on the wall shows in `zone` at this instant. Both passes of a repeated hour look alike."""
	return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def from_wall(wall: datetime, zone: ZoneInfo) -> datetime:
	"""Return the instant, in UTC, that a wall time means.

	One that exists twice means the first. One that does not exist is read with the offset before the change,
	so 02:30 in a night that jumps from 02:00 to 03:00 is the instant shown as 03:30.
	"""
	return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def to_wall_not_early(moment: datetime, zone: ZoneInfo) -> datetime:
	"""Return the wall time that, read back by `from_wall`, is the instant or the first one after it that a wall time can express.

	A wall time cannot express an instant in the second pass of a repeated hour: it becomes the end of that hour. So a
	moment stored as wall time is never earlier than meant, and late by what the clock was set back at most. Of two
	instants, the later never gets the earlier wall time.
	"""
	wall = to_wall(moment, zone)
	if from_wall(wall, zone) >= moment:
		return wall
	first = wall.replace(tzinfo=zone, fold=0)
	second = wall.replace(tzinfo=zone, fold=1)
	change = find_change(zone, first.astimezone(UTC), second.astimezone(UTC))
	return to_wall(change, zone) + (first.utcoffset() - second.utcoffset())


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
	"""Return the instant at which the wall calendar of `zone` first shows this day, or the next day that exists."""
	return from_wall(datetime.combine(day, MIDNIGHT), zone)


def next_time_of_day(moment: datetime, time_of_day: time, zone: ZoneInfo) -> datetime:
	"""Return the first instant from `moment` on at which the clock of `zone` shows this time, or would but for a change."""
	day = to_wall(moment, zone).date()
	instant = from_wall(datetime.combine(day, time_of_day), zone)
	return instant if instant >= moment else from_wall(datetime.combine(day + ONE_DAY, time_of_day), zone)


@lru_cache(maxsize=4096)
def change_on(day: date, zone: ZoneInfo) -> datetime | None:
	"""Return the instant at which the clocks of `zone` change on this day, or None on an ordinary day."""
	low, high = start_of_day(day, zone), start_of_day(day + ONE_DAY, zone)
	if low.astimezone(zone).utcoffset() == high.astimezone(zone).utcoffset():
		return None
	return find_change(zone, low, high)


def find_change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
	"""Return the first instant after `low`, to the second, with the offset of `high`; the two offsets differ."""
	offset = high.astimezone(zone).utcoffset()
	seconds_low, seconds_high = 0, int((high - low).total_seconds()) + 1
	while seconds_high - seconds_low > 1:
		middle = (seconds_low + seconds_high) // 2
		if (low + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
			seconds_high = middle
		else:
			seconds_low = middle
	return (low + timedelta(seconds=seconds_high)).replace(microsecond=0)
