"""The schedule as a batch asks it: those who stand at the same place get the same answer, worked out once.

People who were enrolled together stand at the same place at every step. Plans and positions are values that never
change, so an answer for one is the answer for all.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from drip_campaigns.core.model import Decision, Plan, Position, Skip
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.plans.enrollment_state import plan_fields, position_fields


class Planner:
	"""The answers of one run of a campaign."""

	def __init__(self, plan: Plan, subjects: Mapping[str, str]) -> None:
		self._plan, self._subjects = plan, subjects
		self._known: dict[tuple, Any] = {}
		self._fields: dict[Position, Mapping[str, Any]] = {}

	def decide(self, position: Position, now: datetime) -> Decision:
		"""As `schedule.decide`."""
		return self._once(due_steps.decide, position, now)

	def advance(self, position: Position, step: str, now: datetime) -> Position:
		"""As `schedule.advance`."""
		return self._once(due_steps.advance, position, step, now)

	def pass_over(self, position: Position, skip: Skip, now: datetime) -> Position:
		"""As `schedule.pass_over`."""
		return self._once(due_steps.pass_over, position, skip, now)

	def end_date(self, position: Position, last_at: datetime) -> date:
		"""As `schedule.end_date`."""
		return self._once(due_steps.end_date, position, last_at)

	def fields_of(self, position: Position) -> Mapping[str, Any]:
		"""As `position_fields`."""
		if position not in self._fields:
			self._fields[position] = position_fields(position)
		return self._fields[position]

	def future(self, position: Position, last_at: datetime | None) -> dict[str, Any]:
		"""As `plan_fields`; the caller may change what it gets."""
		return dict(self._once(self._plan_fields, position, last_at))

	def _plan_fields(self, plan: Plan, position: Position, last_at: datetime | None) -> dict[str, Any]:
		return plan_fields(plan, position, self._subjects, last_at)

	def _once(self, function: Callable, *arguments: Any) -> Any:
		key = (function.__name__, *arguments)
		if key not in self._known:
			self._known[key] = function(self._plan, *arguments)
		return self._known[key]
