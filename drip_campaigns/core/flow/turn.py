"""One enrollment's turn: pass skipped steps, branches, waits and actions until an email, a wait, the end or an exit.

The dispatch, the simulation and the forecast go through a plan with these functions, so they never disagree. Nothing
is stored or sent here: the caller carries out each decision, as rows or in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from drip_campaigns.core.flow.conditions import ConditionData
from drip_campaigns.core.flow.evaluate import (
	Branch,
	ExitCampaign,
	FlowDecision,
	WaitOver,
	begin_waiting,
	evaluate_step,
)
from drip_campaigns.core.model import Decision, Finish, Plan, Position, Reach, Send, Skip, Wait
from drip_campaigns.core.schedule import due_steps

MOST_STEPS = 100  # in one turn; a loop that catches up with the calendar continues in the next
NEXT_TURN_AFTER = timedelta(minutes=5)
TODO_POLL = timedelta(hours=1)  # closing the ToDo makes the enrollment due earlier

PassedStep = Skip | Branch | WaitOver | Reach
LastDecision = Send | Wait | Finish | ExitCampaign


class Schedule:
	"""The functions of `due_steps` for one plan; a subclass may remember their results."""

	def __init__(self, plan: Plan) -> None:
		self.plan = plan

	def decide(self, position: Position, now: datetime) -> Decision:
		"""As `due_steps.decide`."""
		return self._compute(due_steps.decide, position, now)

	def advance(self, position: Position, step_id: str, at: datetime) -> Position:
		"""As `due_steps.advance`."""
		return self._compute(due_steps.advance, position, step_id, at)

	def pass_over(self, position: Position, skip: Skip, at: datetime) -> Position:
		"""As `due_steps.pass_over`."""
		return self._compute(due_steps.pass_over, position, skip, at)

	def pass_step(self, position: Position, decision: PassedStep | Send, now: datetime) -> Position:
		"""Return the position after `decision` was carried out at `now`."""
		if isinstance(decision, Skip):
			return self.pass_over(position, decision, now)
		if isinstance(decision, Reach | Send):
			return self.advance(position, decision.step_id, now)
		if isinstance(decision, WaitOver):
			at = decision.at if self.plan.keeps_dates else now
			return due_steps.go_on(self.plan, position, decision.step_id, at, decision.target)
		is_done = decision.target is None
		return due_steps.go_on(self.plan, position, decision.step_id, now, decision.target, is_done=is_done)

	def _compute(self, function: Callable, *arguments: Any) -> Any:
		return function(self.plan, *arguments)


class Turn:
	"""One enrollment's turn at `now`.

	`data` is what is known of the recipient, or None for a plan without conditions and waits. With `awaits_todo`, the
	enrollment waits until a ToDo is closed. Iterate over `pass_steps`; then `position` and `decision` are final.
	"""

	def __init__(
		self,
		schedule: Schedule,
		position: Position,
		data: ConditionData | None,
		now: datetime,
		*,
		awaits_todo: bool = False,
	) -> None:
		self.schedule, self.position, self.now = schedule, position, now
		self.awaits_todo = awaits_todo
		self.decision: LastDecision = Finish()
		self._data = data

	def pass_steps(self) -> Iterator[PassedStep]:
		"""Yield each step that needs no email, before the position moves past it; then set `decision`.

		A caller that stops iterating keeps the position before the step.
		"""
		for _step in range(MOST_STEPS):
			due = self.schedule.decide(self.position, self.now)
			decision = self._evaluate(due)
			if isinstance(decision, LastDecision):
				self._end_with(due, decision)
				return
			yield decision
			self.position = self.schedule.pass_step(self.position, decision, self.now)
			step = self.schedule.plan.placed[decision.step_id].step
			self.awaits_todo = isinstance(decision, Reach) and step.waits_for_todo
		self.decision = Wait(due.step_id, self.now + NEXT_TURN_AFTER)

	def defer(self, until: datetime) -> None:
		"""Move the email that is due to `until`. It is not late then, and not lost."""
		self.position = replace(self.position, not_before=until)
		self.decision = self.schedule.decide(self.position, self.now)

	def _evaluate(self, due: Decision) -> Decision | FlowDecision:
		if self.awaits_todo and not isinstance(due, Finish):
			return Wait(due.step_id, self.now + TODO_POLL)
		if self._data is None or not isinstance(due, Send | Reach):
			return due
		return evaluate_step(self.schedule.plan, self.position, due, self._data, self.now)

	def _end_with(self, due: Decision, decision: LastDecision) -> None:
		if isinstance(decision, Wait) and isinstance(due, Reach) and not self.awaits_todo:
			self.position = begin_waiting(self.position, due)
		self.decision = decision
