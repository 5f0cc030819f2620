"""The site's clock: the only conversion between Frappe's naive site time and aware UTC.

Frappe stores `Datetime` fields without offset, in the time zone of System Settings. This app calculates in aware UTC.
Entry points read the clock once per run and pass the moment on.
"""

from datetime import date, datetime, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from frappe.utils.data import get_datetime, get_system_timezone

from drip_campaigns.core.schedule.wall_clock import find_zone, from_wall, to_wall, to_wall_not_early


def _zone() -> ZoneInfo:
	return find_zone(get_system_timezone())


def utc_now() -> datetime:
	"""Return the current moment in aware UTC. Only entry points call it."""
	return datetime.now(timezone.utc)


def to_site(moment: datetime | None) -> datetime | None:
	"""Return the site time of a past `moment`, for a Datetime field; None stays None."""
	return None if moment is None else to_wall(moment, _zone())


def to_site_plan(moment: datetime | None) -> datetime | None:
	"""Return the site time of a planned `moment`, for a Datetime field: read back, it is never earlier."""
	return None if moment is None else to_wall_not_early(moment, _zone())


def from_site(value: datetime | str | None) -> datetime | None:
	"""Return the moment, in aware UTC, of a Datetime field's value; None for an empty field.

	A document that was just inserted has strings in its fields.
	"""
	return _from_wall(get_datetime(value), _zone()) if value else None


@lru_cache(maxsize=4096)
def _from_wall(value: datetime, zone: ZoneInfo) -> datetime:
	# People who were enrolled together have the same moments, and a batch reads several of each.
	return from_wall(value, zone)


def site_date(moment: datetime) -> date:
	"""Return the site's date at `moment`."""
	return to_wall(moment, _zone()).date()
