"""What conditions ask, loaded for a whole batch: each condition kind loads its data when the first enrollment asks for it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import frappe

from drip_campaigns.core.flow.condition_kinds.event import EventTest, PastEvent
from drip_campaigns.core.flow.condition_kinds.field import FieldTest
from drip_campaigns.core.flow.condition_test import Test
from drip_campaigns.core.model import Plan
from drip_campaigns.people.field_rights import FieldRights, ReadableFields
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.plans.condition_registry import CONDITION_KINDS
from drip_campaigns.rendering.expressions import evaluate
from drip_campaigns.site.clock import from_site

Person = tuple[str, str]  # recipient type and record
OneTest = TypeVar("OneTest", bound=Test)


class BatchConditionData:
	"""What is known of the enrollments in one batch."""

	def __init__(
		self,
		plan: Plan,
		rows: Sequence[frappe._dict],
		recipients: Mapping[Person, Recipient],
		rights: FieldRights,
		now: datetime,
	) -> None:
		self.plan, self.rows, self.recipients, self.rights, self.now = plan, rows, recipients, rights, now
		self._loaded: dict[str, Any] = {}

	def of(self, row: frappe._dict) -> "EnrollmentConditionData":
		"""Return what is known of one enrollment of the batch."""
		return EnrollmentConditionData(self, row)

	def load(self, kind: str) -> Any:
		"""Return the data of a condition kind, loaded once for the batch."""
		if kind not in self._loaded:
			self._loaded[kind] = CONDITION_KINDS.get(kind).load(self)
		return self._loaded[kind]

	def tests_of(self, test: type[OneTest]) -> list[OneTest]:
		"""Return the tests of one kind that the plan's steps have, in conditions and waits."""
		return [one for one in self._tests if isinstance(one, test)]

	@cached_property
	def _tests(self) -> list[Test]:
		return [test for step in self.plan.steps for test in step.flow.tests]


class EnrollmentConditionData:
	"""What is known of one enrollment: a `ConditionData` of the core."""

	def __init__(self, batch: BatchConditionData, row: frappe._dict) -> None:
		self._batch, self._row = batch, row
		self.doctype: str = row.recipient_type
		self.person: Person = (row.recipient_type, row.recipient)
		self._recipient = batch.recipients.get(self.person)

	@property
	def address(self) -> str:
		"""The recipient's email address, or the enrollment's if the record has none."""
		return (self._recipient.email if self._recipient else "") or self._row.email_address or ""

	@cached_property
	def _fields(self) -> Mapping[str, Any]:
		one = self._recipient
		return ReadableFields(one.doctype, one.fields, self._batch.rights) if one else {}

	def value_of(self, link: str, field: str) -> Any:
		fields = self._fields
		if not link:
			return fields.get(field)
		linked = self._batch.load(FieldTest.kind).get((self.doctype, link), {}).get(fields.get(link))
		return linked.get(field) if linked else None

	def day_of(self, field: str) -> Any:
		value = self.value_of("", field)
		# A Datetime is a moment on the site's clock, wherever the recipient lives.
		return from_site(value) if isinstance(value, datetime) else value

	def happenings(self) -> Sequence[PastEvent]:
		return self._batch.load(EventTest.kind).get(self._row.name, ())

	def memberships(self, kind: str) -> Collection[Any]:
		return self._batch.load(kind).get(CONDITION_KINDS.get(kind).key_of(self), ())

	def evaluate(self, expression: str) -> bool:
		return evaluate(expression, self._recipient, self._batch.rights, self._batch.now)
