"""The flow in a batch: what becomes of a step that is due, and how the log says it."""

from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.flow.evaluate import Branch, ExitCampaign, FlowDecision, WaitOver, evaluate_step
from drip_campaigns.core.model import Decision, Plan, Position, Reach, Send
from drip_campaigns.core.schedule.due_steps import go_on
from drip_campaigns.dispatch.guard import Guard
from drip_campaigns.plans.condition_data import BatchConditionData
from drip_campaigns.plans.flow_labels import describe_test, describe_wait

LONGEST_REASON = 140


class FlowDecisions:
	"""What the flow says in one batch of a campaign; of a plain list, nothing."""

	def __init__(self, plan: Plan, rows: Sequence[frappe._dict], guard: Guard, now: datetime) -> None:
		self.plan, self.now = plan, now
		self._facts = BatchConditionData(plan, rows, guard.recipients, now) if plan.has_flow else None

	def evaluate_step(self, row: frappe._dict, position: Position, due: Decision) -> FlowDecision | Decision:
		"""Return what becomes of a decision of the schedule."""
		if self._facts is None or not isinstance(due, Send | Reach):
			return due
		return evaluate_step(self.plan, position, due, self._facts.of(row), self.now)

	def go_on(self, position: Position, turn: Branch | WaitOver) -> Position:
		"""Return the position after a step that sent the enrollment elsewhere, or whose wait is over."""
		if isinstance(turn, WaitOver):
			at = turn.at if self.plan.keeps_dates else self.now
			return go_on(self.plan, position, turn.step_id, at, turn.target)
		is_done = turn.target is None
		return go_on(self.plan, position, turn.step_id, self.now, turn.target, is_done=is_done)

	def describe(self, turn: Branch | WaitOver | ExitCampaign) -> str:
		"""Return the sentence for the log."""
		text = self._reason(turn)
		target = None if isinstance(turn, ExitCampaign) else self.plan.placed.get(turn.target)
		if target:
			text = _("{0} Goes on at {1}.").format(text, target.step.label or _("the next step"))
		return text

	def _reason(self, turn: Branch | WaitOver | ExitCampaign) -> str:
		step = self.plan.placed[turn.step_id].step
		if isinstance(turn, Branch) or (isinstance(turn, ExitCampaign) and turn.unmet):
			return explain_unmet(turn)
		in_vain = isinstance(turn, ExitCampaign) or turn.in_vain
		sentence = _("Waited in vain: {0}.") if in_vain else _("The wait is over: {0}.")
		return sentence.format(describe_wait(step.flow.awaited))


def explain_unmet(turn: Branch | ExitCampaign) -> str:
	"""Return which condition is not met."""
	return _("Not met: {0}.").format(describe_test(turn.unmet))[:LONGEST_REASON]
