"""The options of triggers, the days on which a date is reached, and loops of campaigns. Values in, values out."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from drip_campaigns.core.errors import UnknownTimeZoneError
from drip_campaigns.core.model import Label
from drip_campaigns.core.schedule.wall_clock import ONE_DAY, find_zone, start_of_day, to_wall

MOST_DAYS_TO_CATCH_UP = 31  # a birthday that was missed for longer no longer counts
OLDEST_YEAR = 1900


class DaysFrom(Label):
	"""On which side of the date the days are counted."""

	BEFORE = "Before"
	AFTER = "After"


class Repeat(Label):
	"""How often a date counts."""

	ONCE = "Once"
	EACH_YEAR = "Each Year"


class LocalDay(Label):
	"""Whose time zone says which day it is."""

	SITE = "Site"
	RECIPIENT = "Recipient"


class PurchaseDocument(Label):
	"""What counts as a purchase when it is submitted."""

	SALES_ORDER = "Sales Order"
	SALES_INVOICE = "Sales Invoice"
	PAYMENT_ENTRY = "Payment Entry"


class Purchased(Label):
	"""What must have been bought."""

	ITEM = "Item"
	ITEM_GROUP = "Item Group"


class FiringStatus(Label):
	"""The status of one firing of a trigger."""

	WAITING = "Waiting"
	DONE = "Done"
	NO_MATCH = "No Match"  # it led to nobody; the same event, seen again, can bring it back
	FAILED = "Failed"
	REFUSED = "Refused"  # came while the paused campaign takes no one new


def days_begun(checked_at: datetime | None, now: datetime, zone: str, site_zone: str) -> list[date]:
	"""Return the days that have begun in `zone` since `checked_at`; only today, if nothing was checked before.

	An unknown zone counts as the site's. After a long pause, only the last 31 days count.
	"""
	calendar_zone = _find_calendar(zone, site_zone)
	today = to_wall(now, calendar_zone).date()
	last = to_wall(checked_at, calendar_zone).date() if checked_at else today - ONE_DAY
	first = max(last + ONE_DAY, today - timedelta(days=MOST_DAYS_TO_CATCH_UP - 1))
	return [first + timedelta(days=number) for number in range((today - first).days + 1)]


def find_end_of_day(day: date, zone: str, site_zone: str) -> datetime:
	"""Return the moment at which `day` ends in `zone`. An unknown zone counts as the site's."""
	return start_of_day(day + ONE_DAY, _find_calendar(zone, site_zone))


def _find_calendar(zone: str, site_zone: str) -> ZoneInfo:
	try:
		return find_zone(zone)
	except UnknownTimeZoneError:
		return find_zone(site_zone)


def dates_that_count(day: date, offset_days: int, repeat: Repeat) -> list[date]:
	"""Return the dates in a record for which `day` is the day: `offset_days` after the date, before it if negative.

	Each year: the dates of all years up to that one, so a date in the future does not count before its time. 29
	February counts on the 28th in years that have no 29th.
	"""
	there = day - timedelta(days=offset_days)
	if repeat is Repeat.ONCE:
		return [there]
	dates = [there.replace(year=year) for year in range(OLDEST_YEAR, there.year + 1) if _exists(there, year)]
	if (there.month, there.day) == (2, 28) and not calendar.isleap(there.year):
		dates += [date(year, 2, 29) for year in range(OLDEST_YEAR, there.year) if calendar.isleap(year)]
	return dates


def _exists(day: date, year: int) -> bool:
	return (day.month, day.day) != (2, 29) or calendar.isleap(year)


def is_tag(wanted: str | None, tag: str) -> bool:
	"""Return whether `tag` is the wanted one, without regard to case; without a wanted one, every tag is."""
	return not wanted or wanted.strip().casefold() == tag.strip().casefold()


def find_loop(starters: Mapping[str, Sequence[str]], campaign: str) -> list[str] | None:
	"""Return the path from `campaign` back to itself, or None; `starters` names the campaigns that each campaign starts."""
	ways, seen = [[campaign]], set()
	while ways:
		way = ways.pop(0)
		for started in starters.get(way[-1], ()):
			if started == campaign:
				return [*way, campaign]
			if started not in seen:
				seen.add(started)
				ways.append([*way, started])
	return None
