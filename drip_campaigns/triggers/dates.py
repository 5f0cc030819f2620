"""Fire the triggers that wait for a date in records, such as a birthday, a renewal or the anniversary of a sign-up.

Each trigger stores the moment up to which it was checked. Every run checks the days that have begun since then, so a day
without the scheduler loses nobody, and looks again at the day of that moment for records that were changed meanwhile. No
day counts twice: a firing's name contains the year or the date.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import frappe
from frappe.query_builder import Criterion
from frappe.utils import cstr
from frappe.utils.data import get_system_timezone

from drip_campaigns.core.flow.triggers import days_begun, find_end_of_day
from drip_campaigns.db.amendments import CANCELED, has_amendments
from drip_campaigns.db.bulk_writes import set_where
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.triggers.date_kind import DateKind, find_zone_field
from drip_campaigns.triggers.firings import record_firings
from drip_campaigns.triggers.registry import TRIGGER_KINDS

PAGE_SIZE = 5000
LOOK_EVERY = timedelta(minutes=14)  # days begin on the quarter of an hour, somewhere in the world
LONGEST_SAVE = timedelta(hours=1)  # what is committed later than it was changed
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Look:
	"""One day of the records in the time zone `zone`, or of all if it is None; only of those changed within `changed`, if set.

	`changed` is a range in site time: changes after the end of the day meet no rule for that day.
	"""

	day: date
	zone: str | None
	changed: tuple[datetime, datetime] | None = None


def fire_dates(trigger: frappe._dict, now: datetime) -> Iterator[int]:
	"""Fire one trigger for the dates that are reached; yield the number of firings after each page of records.

	The caller commits between two pages.
	"""
	kind = TRIGGER_KINDS.get(trigger.kind)
	checked = from_site(frappe.db.get_value("Drip Campaign Trigger", trigger.name, "checked_until"))
	if checked and now - checked < LOOK_EVERY:
		return
	for look in _plan_looks(trigger, checked, now):
		for page in _find_pages(kind, trigger, look):
			firings = kind.make_firings(trigger, page, look.day)
			record_firings(firings, to_site(now))
			yield len(firings)
	row = frappe.qb.DocType("Drip Campaign Trigger")
	set_where("Drip Campaign Trigger", row.name == trigger.name, {"checked_until": to_site(now)})
	yield 0


def _plan_looks(trigger: frappe._dict, checked: datetime | None, now: datetime) -> Iterator[Look]:
	field, site_zone = find_zone_field(trigger), get_system_timezone()
	zones = [None]
	if field:
		found = frappe.get_all(trigger.recipient_type, pluck=field, distinct=True, order_by=None)
		zones = sorted({zone or "" for zone in found})
	for zone in zones:
		if checked:
			[seen] = days_begun(None, checked, zone or site_zone, site_zone)
			ends = find_end_of_day(seen, zone or site_zone, site_zone)
			yield Look(seen, zone, (to_site(checked - LONGEST_SAVE), to_site(min(ends, now))))
		for day in days_begun(checked, now, zone or site_zone, site_zone):
			yield Look(day, zone)


def _find_pages(kind: DateKind, trigger: frappe._dict, look: Look) -> Iterator[dict[str, str | None]]:
	"""Yield the records that have their day, in pages by name, each with the document that it replaces, if any."""
	table, last = frappe.qb.DocType(trigger.recipient_type), ""
	wanted = _criterion(kind, table, trigger, look.day) & (table.docstatus != CANCELED)
	if look.zone is not None:
		field = table[find_zone_field(trigger)]
		wanted &= (field == look.zone) if look.zone else (field.isnull() | (field == ""))
	if look.changed:
		wanted &= table.modified.between(*look.changed)
	replaced = [table.amended_from] if has_amendments(trigger.recipient_type) else []
	while True:
		query = frappe.qb.from_(table).select(table.name, *replaced).where(wanted & (table.name > last))
		rows = query.orderby(table.name).limit(PAGE_SIZE).run(as_dict=True)
		if not rows:
			return
		yield {cstr(row.name): row.get("amended_from") for row in rows}
		last = rows[-1].name


def _criterion(kind: DateKind, table, trigger: frappe._dict, day: date):
	"""Compare with a list of dates or of ranges, not with a function of the column, so that an index on it helps."""
	column, dates = table[kind.date_field(trigger)], kind.find_dates(trigger, day)
	if not dates:
		return table.name.isnull()
	if kind.is_date(trigger):
		return column.isin(dates)
	return Criterion.any([(column >= there) & (column < there + ONE_DAY) for there in dates])
