"""What the trigger kinds have in common that wait for a date in a record. `dates.py` fires them."""

from datetime import date, timedelta

import frappe
from frappe import _

from drip_campaigns.core.flow.triggers import DaysFrom
from drip_campaigns.triggers.kind import DATES, TriggerKind, count_days


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
		"""Return what tells the days of one record apart: a year, or a date."""
		raise NotImplementedError

	def is_date(self, trigger) -> bool:
		"""Return whether the field holds a date, not a moment."""
		field = frappe.get_meta(trigger.recipient_type).get_field(self.date_field(trigger))
		return bool(field and field.fieldtype == "Date")


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
