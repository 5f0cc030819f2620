"""Fire the triggers that wait for a date in records, such as a birthday, a renewal or the anniversary of a sign-up.

Each trigger stores the moment up to which it was checked, and every run checks the days that have begun since then. So
a day without the scheduler loses nobody, and no day counts twice: a firing's name contains the year or the date.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import frappe
from frappe.query_builder import Criterion
from frappe.utils.data import get_system_timezone

from drip_campaigns.core.flow.triggers import LocalDay, days_begun
from drip_campaigns.db.bulk_writes import set_where
from drip_campaigns.db.dialect import as_names
from drip_campaigns.people.recipient_types import get_type
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.triggers.date_kind import DateKind
from drip_campaigns.triggers.firings import Firing, record_firings
from drip_campaigns.triggers.registry import TRIGGER_KINDS

PAGE_SIZE = 5000
LOOK_EVERY = timedelta(minutes=14)  # days begin on the quarter of an hour, somewhere in the world
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
	"""Days that have begun for the records in the time zone `zone`; for all records, if it is None."""

	days: list[date]
	zone: str | None


def fire_dates(trigger: frappe._dict, now: datetime) -> Iterator[int]:
	"""Fire one trigger for the dates that are reached; yield the number of firings after each page of records.

	The caller commits between two pages.
	"""
	kind = TRIGGER_KINDS.get(trigger.kind)
	checked = from_site(frappe.db.get_value("Drip Campaign Trigger", trigger.name, "checked_until"))
	if checked and now - checked < LOOK_EVERY:
		return
	for group in _group_days(trigger, checked, now):
		for day in group.days:
			occurrence = kind.occurrence(trigger, day)
			for names in _find_pages(kind, trigger, day, group.zone):
				firings = [Firing(trigger, trigger.recipient_type, name, occurrence) for name in names]
				record_firings(firings, to_site(now))
				yield len(firings)
	row = frappe.qb.DocType("Drip Campaign Trigger")
	set_where("Drip Campaign Trigger", row.name == trigger.name, {"checked_until": to_site(now)})
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


def _find_pages(kind: DateKind, trigger: frappe._dict, day: date, zone: str | None) -> Iterator[list[str]]:
	"""Yield the names of the records that have their day, in pages by name."""
	table, last = frappe.qb.DocType(trigger.recipient_type), ""
	wanted = _criterion(kind, table, trigger, day)
	if zone is not None:
		field = table[get_type(trigger.recipient_type).time_zone]
		wanted &= (field == zone) if zone else (field.isnull() | (field == ""))
	while True:
		query = frappe.qb.from_(table).select(table.name).where(wanted & (table.name > last))
		names = as_names(query.orderby(table.name).limit(PAGE_SIZE).run(pluck=True))
		if not names:
			return
		yield names
		last = names[-1]


def _criterion(kind: DateKind, table, trigger: frappe._dict, day: date):
	"""Compare with a list of dates or of ranges, not with a function of the column, so that an index on it helps."""
	column, dates = table[kind.date_field(trigger)], kind.find_dates(trigger, day)
	if not dates:
		return table.name.isnull()
	if kind.is_date(trigger):
		return column.isin(dates)
	return Criterion.any([(column >= there) & (column < there + ONE_DAY) for there in dates])
