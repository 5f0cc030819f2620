"""A year has passed since a record was created, and each year after that."""

from datetime import date

from frappe import _

from drip_campaigns.core.flow.triggers import Repeat, dates_that_count
from drip_campaigns.triggers.date_kind import DateKind, describe_days, find_date, offset_days
from drip_campaigns.triggers.kind import name_type


class SignUpAnniversary(DateKind):
	"""Enrolls the record itself each year, but not on the day on which it is created."""

	label = "Sign-up Anniversary"
	needed = ("days_from", "local_day", "recipient_type")
	optional = ("days",)
	is_portable = True

	def describe(self, row) -> str:
		sentence = _("{0} the day on which a {1} was created, each year")
		return sentence.format(describe_days(row), name_type(row))

	def date_field(self, trigger) -> str:
		return "creation"

	def find_dates(self, trigger, day: date) -> list[date]:
		dates = dates_that_count(day, offset_days(trigger), Repeat.EACH_YEAR)
		return [one for one in dates if one.year < find_date(trigger, day).year]

	def occurrence(self, trigger, day: date) -> str:
		return str(find_date(trigger, day).year)
