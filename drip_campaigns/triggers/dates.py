"""Dates in records that fire triggers: birthdays, renewals, the anniversary of a sign-up.

Each trigger notes up to when it was looked at, and every run takes the days that have begun since: a day without the
scheduler loses nobody, and nobody has the same day twice, for a firing's name holds the year or the date.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import frappe
from frappe.query_builder import Criterion
from frappe.utils.data import get_system_timezone

from drip_campaigns.core.flow.triggers import (
	DaysFrom,
	LocalDay,
	Repeat,
	TriggerKind,
	dates_that_count,
	days_begun,
)
from drip_campaigns.people.recipient_types import get_type
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.triggers.firings import Firing, record_firings

PAGE_SIZE = 5000
LOOK_EVERY = timedelta(minutes=14)  # days begin on the quarter of an hour, somewhere in the world
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
	"""Days that have begun for the records whose time zone is `zone`; for all records, if it is None."""

	days: list[date]
	zone: str | None


def fire_dates(trigger: frappe._dict, now: datetime) -> Iterator[int]:
	"""Fire for the dates that have come for one trigger, yielding how many after each page; the caller commits between two."""
	checked = from_site(frappe.db.get_value("Drip Campaign Trigger", trigger.name, "checked_until"))
	if checked and now - checked < LOOK_EVERY:
		return
	for group in _group_days(trigger, checked, now):
		for day in group.days:
			for names in _find_pages(trigger, day, group.zone):
				occurrence = _occurrence(trigger, day)
				firings = [Firing(trigger, trigger.recipient_type, name, occurrence) for name in names]
				record_firings(firings, to_site(now))
				yield len(firings)
	row = frappe.qb.DocType("Drip Campaign Trigger")
	frappe.qb.update(row).set(row.checked_until, to_site(now)).where(row.name == trigger.name).run()
	yield 0


def _group_days(trigger: frappe._dict, checked: datetime | None, now: datetime) -> list[Days]:
	site_zone = get_system_timezone()
	field = get_type(trigger.recipient_type).time_zone
	if trigger.local_day != LocalDay.RECIPIENT or not frappe.get_meta(trigger.recipient_type).has_field(
		field
	):
		return [Days(days_begun(checked, now, site_zone, site_zone), None)]
	zones = set(frappe.get_all(trigger.recipient_type, pluck=field, distinct=True, order_by=None))
	zones = {zone or "" for zone in zones}
	return [Days(days_begun(checked, now, zone or site_zone, site_zone), zone) for zone in sorted(zones)]


def _find_pages(trigger: frappe._dict, day: date, zone: str | None) -> Iterator[list[str]]:
	"""Yield the names of the records whose day it is, in pages by name."""
	table, last = frappe.qb.DocType(trigger.recipient_type), ""
	wanted = _criterion(table, trigger, day)
	if zone is not None:
		field = table[get_type(trigger.recipient_type).time_zone]
		wanted &= (field == zone) if zone else (field.isnull() | (field == ""))
	while True:
		query = frappe.qb.from_(table).select(table.name).where(wanted & (table.name > last))
		names = query.orderby(table.name).limit(PAGE_SIZE).run(pluck=True)
		if not names:
			return
		yield names
		last = names[-1]


def _criterion(table, trigger: frappe._dict, day: date):
	"""A list of dates or of ranges, not a function of the column, so that an index on it serves."""
	column, dates = table[_field_name(trigger)], _dates(trigger, day)
	if not dates:
		return table.name.isnull()
	if _is_date(trigger):
		return column.isin(dates)
	return Criterion.any([(column >= there) & (column < there + ONE_DAY) for there in dates])


def _dates(trigger: frappe._dict, day: date) -> list[date]:
	there = day - timedelta(days=_offset(trigger))
	if trigger.kind == TriggerKind.SIGN_UP_ANNIVERSARY:
		dates = dates_that_count(day, _offset(trigger), Repeat.EACH_YEAR)
		return [one for one in dates if one.year < there.year]  # the first year is not over on its first day
	return dates_that_count(day, _offset(trigger), Repeat(trigger.repeat))


def _offset(trigger: frappe._dict) -> int:
	days = trigger.days or 0
	return -days if trigger.days_from == DaysFrom.BEFORE else days


def _occurrence(trigger: frappe._dict, day: date) -> str:
	there = day - timedelta(days=_offset(trigger))
	is_yearly = trigger.kind == TriggerKind.SIGN_UP_ANNIVERSARY or trigger.repeat == Repeat.EACH_YEAR
	return str(there.year) if is_yearly else there.isoformat()


def _field_name(trigger: frappe._dict) -> str:
	return "creation" if trigger.kind == TriggerKind.SIGN_UP_ANNIVERSARY else trigger.field_name


def _is_date(trigger: frappe._dict) -> bool:
	field = frappe.get_meta(trigger.recipient_type).get_field(_field_name(trigger))
	return bool(field and field.fieldtype == "Date")
