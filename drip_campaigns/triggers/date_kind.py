"""What the trigger kinds have in common that wait for a date in a record.

A record that is saved on its day fires at once. `dates.py` finds the others, and those that were changed without a save.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import frappe
from frappe import _
from frappe.utils import cstr, get_datetime
from frappe.utils.data import get_system_timezone

from drip_campaigns.core.flow.triggers import DaysFrom, LocalDay, days_begun
from drip_campaigns.db.amendments import CANCELED, find_first, has_amendments
from drip_campaigns.people.recipient_types import get_type
from drip_campaigns.site.clock import utc_now
from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import DATES, Person, Rows, TriggerKind, count_days, find_current_people


class DateKind(TriggerKind):
	"""A kind that some days before or after a date fire. Its firings are made for a day at a time."""

	watches = DATES
	leaves_trace = False

	def date_field(self, trigger) -> str:
		"""Return the field with the date."""
		return trigger.field_name

	def find_dates(self, trigger, day: date) -> list[date]:
		"""Return the dates for which `day` is the day on which the trigger fires."""
		raise NotImplementedError

	def occurrence(self, trigger, day: date) -> str:
		"""Return what tells the days of one record apart: the field, and a year or a date."""
		raise NotImplementedError

	def is_date(self, trigger) -> bool:
		"""Return whether the field holds a date, not a moment."""
		field = frappe.get_meta(trigger.recipient_type).get_field(self.date_field(trigger))
		return bool(field and field.fieldtype == "Date")

	def places(self, row) -> tuple[str, ...]:
		return self.place(row), row.recipient_type

	def match(self, document, trigger) -> Firing | None:
		"""Match a record that is saved on its day, also if only its filters can have changed."""
		value = document.get(self.date_field(trigger))
		if not value or document.docstatus == CANCELED:
			return None
		field = find_zone_field(trigger)
		zone, site_zone = (document.get(field) if field else None), get_system_timezone()
		[day] = days_begun(None, utc_now(), zone or site_zone, site_zone)
		if get_datetime(value).date() not in self.find_dates(trigger, day):
			return None
		[firing] = self.make_firings(trigger, {cstr(document.name): document.get("amended_from")}, day)
		return firing

	def make_firings(self, trigger, amended_from: Mapping[str, str | None], day: date) -> list[Firing]:
		"""Return the firings of records on their day; `amended_from` has the document that each replaces, if any."""
		doctype, occurrence = trigger.recipient_type, self.occurrence(trigger, day)
		replaced = {name: other for name, other in amended_from.items() if other}
		firsts = find_first(doctype, replaced) if replaced and has_amendments(doctype) else {}
		return [
			Firing(trigger, doctype, name, occurrence, first=firsts.get(name), brings_back=True)
			for name in amended_from
		]

	def find_people(self, trigger, rows: Rows) -> dict[str, Person]:
		return find_current_people(rows)


def find_zone_field(trigger) -> str | None:
	"""Return the field with the time zone by which a record's day begins; None if it is the site's."""
	field = get_type(trigger.recipient_type).time_zone
	is_own = trigger.local_day == LocalDay.RECIPIENT and frappe.get_meta(trigger.recipient_type).has_field(
		field
	)
	return field if is_own else None


def offset_days(trigger) -> int:
	"""Return how many days after the date the trigger fires; before it if negative."""
	days = trigger.days or 0
	return -days if trigger.days_from == DaysFrom.BEFORE else days


def find_date(trigger, day: date) -> date:
	"""Return the date for which `day` is the day, in the same year."""
	return day - timedelta(days=offset_days(trigger))


def describe_days(row) -> str:
	"""Return "On", "2 days before" or "2 days after"."""
	if not row.days:
		return _("On")
	sentence = _("{0} before") if row.days_from == DaysFrom.BEFORE else _("{0} after")
	return sentence.format(count_days(row.days))
