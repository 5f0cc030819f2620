"""The site's clock: the one place where Frappe's naive site time and aware UTC meet.

Frappe keeps `Datetime` fields without offset, in the time zone of System Settings. Everything of ours that
reckons with time is aware UTC. Read the clock once per run, at the entry point, and hand the moment on.
"""

from datetime import date, datetime, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from frappe.utils.data import get_datetime, get_system_timezone

from drip_campaigns.core.schedule.wall_clock import find_zone, from_wall, to_wall, to_wall_not_early


def _zone() -> ZoneInfo:
	return find_zone(get_system_timezone())


def utc_now() -> datetime:
	"""Return this moment, aware, in UTC. Only entry points call it."""
	return datetime.now(timezone.utc)


def to_site(moment: datetime | None) -> datetime | None:
	"""Return what a Datetime field stores for `moment` (something that has happened); None stays None."""
	return None if moment is None else to_wall(moment, _zone())


def to_site_plan(moment: datetime | None) -> datetime | None:
	"""Return what a Datetime field stores for a planned `moment`: read back, it is never earlier than meant."""
	return None if moment is None else to_wall_not_early(moment, _zone())


def from_site(value: datetime | str | None) -> datetime | None:
	"""Return the moment, aware UTC, that a Datetime field's naive value means; an empty one is None.

	A document that was just inserted still holds strings.
	"""
	return _from_wall(get_datetime(value), _zone()) if value else None


@lru_cache(maxsize=4096)
def _from_wall(value: datetime, zone: ZoneInfo) -> datetime:
	# Those who were enrolled together have the same moments, and a batch reads several of each.
	return from_wall(value, zone)


def site_date(moment: datetime) -> date:
	"""Return the site's calendar day at `moment`."""
	return to_wall(moment, _zone()).date()
