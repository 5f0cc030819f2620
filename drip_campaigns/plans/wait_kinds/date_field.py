"""Waits until a date in the recipient's record."""

from collections.abc import Iterator

from frappe import _

from drip_campaigns.core.flow.wait_kinds.date_field import DateWait
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.plans.condition_kinds.field import (
	find_missing_field,
	find_unreadable_field,
	label_field,
)
from drip_campaigns.plans.wait_kind import WaitKind


class DateWaitKind(WaitKind):
	"""At least one recipient type must have the date."""

	awaited = DateWait

	def describe(self, awaited: DateWait) -> str:
		field = label_field(awaited.date_field)
		if not awaited.days:
			return field
		sentence = _("{0} days before {1}") if awaited.days < 0 else _("{0} days after {1}")
		return sentence.format(abs(awaited.days), field)

	def find_forbidden(self, awaited: DateWait, rights: FieldRights) -> Iterator[str]:
		yield from find_unreadable_field(awaited.date_field, available_types(), rights)

	def find_missing_fields(self, awaited: DateWait) -> Iterator[str]:
		if sentence := find_missing_field(awaited.date_field, available_types(), awaited.field_types):
			yield sentence
