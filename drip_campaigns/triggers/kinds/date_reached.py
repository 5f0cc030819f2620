"""A date in a record is reached: a birthday, a renewal."""

from datetime import date

from frappe import _

from drip_campaigns.core.flow.triggers import Repeat, dates_that_count
from drip_campaigns.triggers.date_kind import DateKind, describe_days, find_date, offset_days
from drip_campaigns.triggers.kind import name_field, name_type


class DateReached(DateKind):
	"""Enrolls the record itself, once or each year, on the day itself or some days before or after it."""

	label = "Date Reached"
	needed = ("field_name", "repeat", "days_from", "local_day", "recipient_type")
	optional = ("days",)
	field_types = ("Date", "Datetime")
	is_portable = True

	def describe(self, row) -> str:
		often = _("each year") if row.repeat == Repeat.EACH_YEAR else _("once")
		return _("{0} {1} of a {2}, {3}").format(describe_days(row), name_field(row), name_type(row), often)

	def find_dates(self, trigger, day: date) -> list[date]:
		return dates_that_count(day, offset_days(trigger), Repeat(trigger.repeat))

	def occurrence(self, trigger, day: date) -> str:
		there = find_date(trigger, day)
		when = str(there.year) if trigger.repeat == Repeat.EACH_YEAR else there.isoformat()
		return f"{trigger.field_name} {when}"
