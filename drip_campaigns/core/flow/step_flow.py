"""The conditions of a step, what it waits for, and the step after it. Values only.

Steps are named by their labels. `evaluate.py` decides with these values; `flow_checks.py` validates them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drip_campaigns.core.flow.condition_kinds.event import EventTest
from drip_campaigns.core.flow.condition_test import Test
from drip_campaigns.core.flow.conditions import Conditions
from drip_campaigns.core.flow.wait_kind import Awaited, OnTimeout
from drip_campaigns.core.label import Label


class Otherwise(Label):
	"""What happens to an enrollment that does not meet a step's conditions."""

	SKIP = "Skip"
	GO_TO_STEP = "Go To Step"
	EXIT = "Exit"


@dataclass(frozen=True)
class Flow:
	"""How a step fits into the flow. The default is a plain list: each step, one after the other."""

	conditions: Conditions | None = None
	otherwise: Otherwise = Otherwise.SKIP
	otherwise_step: str = ""
	next_step: str = ""  # empty: the next in order
	awaited: Awaited | None = None
	expires_after_hours: int = 0  # a step that is overdue by more is skipped; 0: never

	@property
	def can_jump(self) -> bool:
		"""Whether it names a step to go to."""
		elsewhere = self.awaited and self.awaited.on_timeout is OnTimeout.GO_TO_STEP
		return bool(self.next_step or elsewhere or self.otherwise is Otherwise.GO_TO_STEP)

	@property
	def tests(self) -> tuple[Test, ...]:
		"""Every test of the step: its conditions, and what it waits for."""
		conditions = self.conditions.tests if self.conditions else ()
		return (*conditions, *(self.awaited.tests if self.awaited else ()))

	@property
	def named_steps(self) -> Iterator[tuple[str, str]]:
		"""The labels that it names, each with its field of the step."""
		if self.next_step:
			yield "next_step", self.next_step
		if self.conditions and self.otherwise is Otherwise.GO_TO_STEP:
			yield "otherwise_step", self.otherwise_step
		if self.awaited and self.awaited.limit_hours and self.awaited.on_timeout is OnTimeout.GO_TO_STEP:
			yield "on_timeout_step", self.awaited.on_timeout_step
		for test in self.awaited.tests if self.awaited else ():
			if isinstance(test, EventTest) and test.step:
				yield "wait_step", test.step
		for test in self.conditions.tests if self.conditions else ():
			if isinstance(test, EventTest) and test.step:
				yield "conditions", test.step


PLAIN = Flow()
