"""What a step can ask before it is carried out: tests of fields, of what happened, and of where else somebody is.

A test is a value; what it asks about comes from `Facts`, which the caller makes: the dispatch reads them for a whole batch
at once, the simulation from its script. Nothing here reads a clock or a database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from drip_campaigns.core.flow.operators import OPERATORS, as_list, compare
from drip_campaigns.core.json_fields import (
	Fields,
	fail,
	read_boolean,
	read_choice,
	read_count,
	read_list,
	read_text,
)
from drip_campaigns.core.label import Label

MOST_TESTS = 20
LONGEST_EXPRESSION = 1000
LONGEST_TEXT = 1000


class EmailFeedback(Label):
	"""What a recipient, or an email, can have done."""

	SENT = "Sent"
	OPENED = "Opened"
	CLICKED = "Clicked"
	REPLIED = "Replied"
	BOUNCED = "Bounced"


class CampaignStanding(Label):
	"""Where somebody may stand on another campaign."""

	EVER = "Ever"
	NOW = "Now"
	COMPLETED = "Completed"
	LEFT = "Left"


@dataclass(frozen=True)
class PastEvent:
	"""Something that a person did, or an email of a step. Machines' opens and clicks are none."""

	event: str
	step: str  # its label
	at: datetime
	link: str = ""


class ConditionData(Protocol):
	"""What is known of one enrollment and its recipient."""

	doctype: str

	def value_of(self, link: str, field: str) -> Any:
		"""Return a field of the record or, one hop away, of the record that its field `link` names; None if there is none."""

	def day_of(self, field: str) -> date | datetime | str | None:
		"""Return what a field of the record says for a day, or a moment; one without a zone is on the recipient's clock."""

	def happenings(self) -> Sequence[PastEvent]:
		"""Return what happened to the enrollment."""

	def has_tag(self, tag: str) -> bool:
		"""Say whether the record has a tag."""

	def is_on_list(self, target_list: str) -> bool:
		"""Say whether the recipient is on a target list, and has not left it."""

	def is_in_group(self, email_group: str) -> bool:
		"""Say whether the address is in an Email Group, and has not left it."""

	def stands_on(self, campaign: str) -> frozenset[CampaignStanding]:
		"""Say where the recipient stands on another campaign; nothing if never there."""

	def evaluate(self, expression: str) -> bool:
		"""Say whether an expression is true; raise what it raises."""


@dataclass(frozen=True)
class FieldTest:
	"""A field of the record, or of a record that it links to, compared with a value."""

	field: str
	operator: str
	value: Any
	link: str = ""  # the field of the record that leads there
	doctype: str = ""  # the recipient type that it asks about; another one does not meet it

	def is_met(self, facts: ConditionData, now: datetime) -> bool:
		if self.doctype and self.doctype != facts.doctype:
			return False
		return compare(facts.value_of(self.link, self.field), self.operator, self.value)


@dataclass(frozen=True)
class EventTest:
	"""Whether something happened: to an email of one step or of any, ever or in the last days."""

	event: EmailFeedback
	step: str = ""
	link: str = ""
	within_days: int = 0
	negated: bool = False

	def is_met(self, facts: ConditionData, now: datetime) -> bool:
		since = now - timedelta(days=self.within_days) if self.within_days else None
		return (self.first(facts, since) is None) == self.negated

	def first(self, facts: ConditionData, since: datetime | None) -> datetime | None:
		"""Return when it first happened, not before `since`."""
		return min(
			(one.at for one in facts.happenings() if self._is(one) and (since is None or one.at >= since)),
			default=None,
		)

	def _is(self, one: PastEvent) -> bool:
		is_event = one.event == self.event.value and self.step in ("", one.step)
		return is_event and (not self.link or self.link.casefold() in one.link.casefold())


@dataclass(frozen=True)
class TagTest:
	"""Whether the record has a tag."""

	tag: str
	negated: bool = False

	def is_met(self, facts: ConditionData, now: datetime) -> bool:
		return facts.has_tag(self.tag) != self.negated


@dataclass(frozen=True)
class ListTest:
	"""Whether the recipient is on a target list."""

	target_list: str
	negated: bool = False

	def is_met(self, facts: ConditionData, now: datetime) -> bool:
		return facts.is_on_list(self.target_list) != self.negated


@dataclass(frozen=True)
class GroupTest:
	"""Whether the address is in an Email Group."""

	email_group: str
	negated: bool = False

	def is_met(self, facts: ConditionData, now: datetime) -> bool:
		return facts.is_in_group(self.email_group) != self.negated


@dataclass(frozen=True)
class CampaignTest:
	"""Whether, and how, the recipient is or was on another campaign."""

	campaign: str
	stands: CampaignStanding = CampaignStanding.EVER
	negated: bool = False

	def is_met(self, facts: ConditionData, now: datetime) -> bool:
		return (self.stands in facts.stands_on(self.campaign)) != self.negated


@dataclass(frozen=True)
class ExpressionTest:
	"""For what no other test can say: an expression, in Frappe's sandbox."""

	expression: str

	def is_met(self, facts: ConditionData, now: datetime) -> bool:
		return facts.evaluate(self.expression)


Test = FieldTest | EventTest | TagTest | ListTest | GroupTest | CampaignTest | ExpressionTest


@dataclass(frozen=True)
class Conditions:
	"""The tests of a step, all or any of which must be met."""

	tests: tuple[Test, ...]
	needs_all: bool = True

	def find_unmet(self, facts: ConditionData, now: datetime) -> Test | None:
		"""Return the test because of which the step is not carried out, or None if it is."""
		unmet = None
		for test in self.tests:
			if test.is_met(facts, now):
				if not self.needs_all:
					return None
			elif self.needs_all:
				return test
			else:
				unmet = unmet or test
		return unmet


def read_conditions(value: Any, path: str) -> Conditions | None:
	"""Return the conditions that a JSON value describes, None for one without tests; raise an error with the path."""
	fields = Fields(value, path)
	needs_all = fields.take("match", read_choice({"all": True, "any": False}), True)
	tests = fields.take("tests", read_list(_read_test), ())
	fields.refuse_others()
	if len(tests) > MOST_TESTS:
		fail(fields.path_of("tests"), f"must not be more than {MOST_TESTS}")
	return Conditions(tests, needs_all) if tests else None


def _read_test(value: Any, path: str) -> Test:
	fields = Fields(value, path)
	test = fields.take("kind", read_choice(_KINDS))(fields)
	fields.refuse_others()
	return test


def _read_field_test(fields: Fields) -> FieldTest:
	test = FieldTest(
		field=fields.take("field", read_text),
		operator=fields.take("operator", read_choice({operator: operator for operator in OPERATORS})),
		value=fields.take("value", _read_value, ""),
		link=fields.take("link", _read_perhaps, ""),
		doctype=fields.take("doctype", _read_perhaps, ""),
	)
	if test.operator == "Between" and len(as_list(test.value)) != 2:
		fail(fields.path_of("value"), "must be two values for Between")
	if test.operator == "is" and str(test.value).lower() not in ("set", "not set"):
		fail(fields.path_of("value"), "must be one of: set, not set")
	return test


def _read_event_test(fields: Fields) -> EventTest:
	return EventTest(
		event=fields.take("event", read_choice({heard.value.lower(): heard for heard in EmailFeedback})),
		step=fields.take("step", _read_perhaps, ""),
		link=fields.take("link", _read_perhaps, ""),
		within_days=fields.take("within_days", read_count, 0),
		negated=_take_negated(fields),
	)


def _read_campaign_test(fields: Fields) -> CampaignTest:
	stands = {stand.value.lower(): stand for stand in CampaignStanding}
	return CampaignTest(
		fields.take("campaign", read_text),
		fields.take("stands", read_choice(stands), CampaignStanding.EVER),
		_take_negated(fields),
	)


def _read_expression_test(fields: Fields) -> ExpressionTest:
	expression = fields.take("expression", read_text).strip()
	if len(expression) > LONGEST_EXPRESSION:
		fail(fields.path_of("expression"), f"must not be longer than {LONGEST_EXPRESSION} characters")
	return ExpressionTest(expression)


def _take_negated(fields: Fields) -> bool:
	return fields.take("negated", read_boolean, False)


def _read_perhaps(value: Any, path: str) -> str:
	return "" if value in ("", None) else read_text(value, path)


def _read_value(value: Any, path: str) -> Any:
	many = value if isinstance(value, list) else [value]
	if len(many) > LONGEST_TEXT or not all(
		isinstance(one, str | int | float | bool | type(None)) and len(str(one)) <= LONGEST_TEXT
		for one in many
	):
		fail(path, f"must be a text, a number or a list of them, of at most {LONGEST_TEXT} characters each")
	return tuple(value) if isinstance(value, list) else value


_KINDS: Mapping[str, Any] = {
	"field": _read_field_test,
	"event": _read_event_test,
	"tag": lambda fields: TagTest(fields.take("tag", read_text), _take_negated(fields)),
	"list": lambda fields: ListTest(fields.take("list", read_text), _take_negated(fields)),
	"group": lambda fields: GroupTest(fields.take("group", read_text), _take_negated(fields)),
	"campaign": _read_campaign_test,
	"expression": _read_expression_test,
}
