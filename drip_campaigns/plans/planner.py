"""The schedule of a campaign in a run: enrollments at the same place get the same result, computed once.

People who were enrolled together are at the same place at every step. Plans and positions are values that never
change, so a result for one enrollment is right for all at its place.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from drip_campaigns.core.flow.turn import Schedule
from drip_campaigns.core.model import Plan, Position
from drip_campaigns.plans.enrollment_state import plan_fields, position_fields


class Planner(Schedule):
	"""A schedule that remembers its results, and the fields in which an enrollment stores them."""

	def __init__(self, plan: Plan, subjects: Mapping[str, str]) -> None:
		super().__init__(plan)
		self._subjects = subjects
		self._known: dict[tuple, Any] = {}
		self._fields: dict[Position, Mapping[str, Any]] = {}

	def fields_of(self, position: Position) -> Mapping[str, Any]:
		"""As `position_fields`."""
		if position not in self._fields:
			self._fields[position] = position_fields(position)
		return self._fields[position]

	def future(self, position: Position, last_at: datetime | None) -> dict[str, Any]:
		"""As `plan_fields`; the caller may change the result."""
		return dict(self._compute(self._plan_fields, position, last_at))

	def _plan_fields(self, plan: Plan, position: Position, last_at: datetime | None) -> dict[str, Any]:
		return plan_fields(plan, position, self._subjects, last_at)

	def _compute(self, function: Callable, *arguments: Any) -> Any:
		key = (function.__name__, *arguments)
		if key not in self._known:
			self._known[key] = function(self.plan, *arguments)
		return self._known[key]
