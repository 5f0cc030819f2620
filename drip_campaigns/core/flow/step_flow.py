"""The conditions of a step, what it waits for, and the step after it. Values only.

Steps are named by their labels. `evaluate.py` decides with these values; `flow_checks.py` validates them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time

from drip_campaigns.core.flow.condition_kinds.event import EventTest
from drip_campaigns.core.flow.condition_kinds.field import FieldTest
from drip_campaigns.core.flow.conditions import Conditions
from drip_campaigns.core.label import Label


class Otherwise(Label):
	"""What happens to an enrollment that does not meet a step's conditions."""

	SKIP = "Skip"
	GO_TO_STEP = "Go To Step"
	EXIT = "Exit"


class OnTimeout(Label):
	"""What happens to an enrollment whose wait reaches its limit."""

	GO_ON = "Go On"
	GO_TO_STEP = "Go To Step"
	EXIT = "Exit"


class WaitFor(Label):
	"""What a step can wait for."""

	OPENED = "Opened"
	CLICKED = "Clicked"
	REPLIED = "Replied"
	FIELD_VALUE = "Field Value"
	DATE_FIELD = "Date Field"
	CLOCK_TIME = "Clock Time"


class WaitSince(Label):
	"""The moment from which an awaited event counts."""

	START = "Start"
	THIS_STEP = "This Step"


@dataclass(frozen=True)
class WaitCondition:
	"""What a step waits for: an event, a field, a date or a time of day; how long at most; and what happens after that."""

	event: EventTest | None = None
	counts_from_start: bool = True  # an event before the wait ends it immediately
	field: FieldTest | None = None
	date_field: str = ""
	days: int = 0  # after the date; negative: before it
	clock: time | None = None
	limit_hours: int = 0  # 0: no limit
	on_timeout: OnTimeout = OnTimeout.GO_ON
	on_timeout_step: str = ""


@dataclass(frozen=True)
class Flow:
	"""How a step fits into the flow. The default is a plain list: each step, one after the other."""

	conditions: Conditions | None = None
	otherwise: Otherwise = Otherwise.SKIP
	otherwise_step: str = ""
	next_step: str = ""  # empty: the next in order
	awaited: WaitCondition | None = None
	expires_after_hours: int = 0  # a step that is overdue by more is skipped; 0: never

	@property
	def can_jump(self) -> bool:
		"""Whether it names a step to go to."""
		elsewhere = self.awaited and self.awaited.on_timeout is OnTimeout.GO_TO_STEP
		return bool(self.next_step or elsewhere or self.otherwise is Otherwise.GO_TO_STEP)

	@property
	def named_steps(self) -> Iterator[tuple[str, str]]:
		"""The labels that it names, each with its field of the step."""
		if self.next_step:
			yield "next_step", self.next_step
		if self.conditions and self.otherwise is Otherwise.GO_TO_STEP:
			yield "otherwise_step", self.otherwise_step
		if self.awaited and self.awaited.limit_hours and self.awaited.on_timeout is OnTimeout.GO_TO_STEP:
			yield "on_timeout_step", self.awaited.on_timeout_step
		if self.awaited and self.awaited.event and self.awaited.event.step:
			yield "wait_step", self.awaited.event.step
		for test in self.conditions.tests if self.conditions else ():
			if isinstance(test, EventTest) and test.step:
				yield "conditions", test.step


PLAIN = Flow()
