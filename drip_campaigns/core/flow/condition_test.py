"""What a condition kind is in the core: the base class of `condition_kinds/`, and what a test may ask about a recipient."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from drip_campaigns.core.json_fields import Fields, read_boolean, read_text

if TYPE_CHECKING:
	from drip_campaigns.core.flow.condition_kinds.event import PastEvent


class ConditionData(Protocol):
	"""What is known of one enrollment and its recipient."""

	doctype: str

	def value_of(self, link: str, field: str) -> Any:
		"""Return a field of the record or, one hop away, of the record that its field `link` names; None if there is none."""

	def day_of(self, field: str) -> date | datetime | str | None:
		"""Return the day, or the moment, in a field of the record; one without a zone is on the recipient's clock."""

	def happenings(self) -> Sequence[PastEvent]:
		"""Return what happened to the enrollment."""

	def memberships(self, kind: str) -> Collection[Any]:
		"""Return what the recipient has, or is in, of a condition kind: tags, lists, groups, campaigns."""

	def evaluate(self, expression: str) -> bool:
		"""Return whether an expression is true; raise what it raises."""


class Test:
	"""One test of a step's conditions, as a value. A subclass per file in `condition_kinds/`."""

	kind: ClassVar[str]  # what a JSON value calls it

	@classmethod
	def read(cls, fields: Fields) -> Test:
		"""Take the test from the fields of a JSON object; raise an error with the path of a wrong field."""
		raise NotImplementedError

	def is_met(self, data: ConditionData, now: datetime) -> bool:
		"""Return whether the test is met at `now`."""
		raise NotImplementedError


@dataclass(frozen=True)
class MembershipTest(Test):
	"""A test of what the recipient has, or is in, by its name."""

	name: str
	negated: bool = False

	@classmethod
	def read(cls, fields: Fields) -> MembershipTest:
		return cls(fields.take(cls.kind, read_text), take_negated(fields))

	@property
	def key(self) -> str:
		"""What `memberships` calls the name."""
		return self.name

	def is_met(self, data: ConditionData, now: datetime) -> bool:
		return (self.key in data.memberships(self.kind)) != self.negated


def take_negated(fields: Fields) -> bool:
	"""Take whether the opposite is asked."""
	return fields.take("negated", read_boolean, False)


def read_optional_text(value: Any, path: str) -> str:
	"""Return a text, which may be empty or null."""
	return "" if value in ("", None) else read_text(value, path)
