"""Conditions, waits, and what they decided as sentences, in the language of the session's user: for the form, lists and the log."""

from collections.abc import Iterable

from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.condition_test import Test
from drip_campaigns.core.flow.conditions import Conditions
from drip_campaigns.core.flow.evaluate import Branch, ExitCampaign, WaitOver
from drip_campaigns.core.flow.step_flow import Otherwise
from drip_campaigns.core.flow.wait_kind import Awaited
from drip_campaigns.core.model import Plan, StepType
from drip_campaigns.plans.condition_registry import CONDITION_KINDS
from drip_campaigns.plans.step_flow import make_flow
from drip_campaigns.plans.wait_registry import WAIT_KINDS

LONGEST_REASON = 140


def describe_conditions(conditions: Conditions) -> str:
	"""Return "Welcome was opened and Status = Open"."""
	return (_(" and ") if conditions.needs_all else _(" or ")).join(describe_tests(conditions.tests))


def describe_tests(tests: Iterable[Test]) -> list[str]:
	"""Return a sentence for each test."""
	return [describe_test(test) for test in tests]


def describe_test(test: Test) -> str:
	"""Return what a test asks, as a statement: "Welcome was opened"."""
	return CONDITION_KINDS.get(test.kind).describe(test)


def describe_step(row) -> str:
	"""Return what lists call a Drip Campaign Step without an email: its label, or what it does."""
	if row.label or row.step_type != StepType.WAIT.value:
		return row.label or _(row.step_type)
	try:
		awaited = make_flow(row).awaited
	except DripError:  # an unsaved row, or a record that it names was deleted
		awaited = None
	return _("Wait until {0}").format(describe_wait(awaited)) if awaited else _(row.step_type)


def describe_wait(awaited: Awaited) -> str:
	"""Return what ends the wait: "Welcome was opened"."""
	return WAIT_KINDS.get(type(awaited)).describe(awaited)


def describe_flow(row) -> str:
	"""Return where a Drip Campaign Step leads: "If Welcome was opened, else go to Reminder; Then go to Offer".

	Empty for a plain step, and for a row whose flow cannot be read yet.
	"""
	try:
		flow = make_flow(row)
	except DripError:
		return ""
	parts = []
	if flow.conditions:
		otherwise = _describe_jump(row.otherwise, row.otherwise_step) or _("skip")
		parts.append(_("If {0}, else {1}").format(describe_conditions(flow.conditions), otherwise))
	if flow.awaited and flow.awaited.limit_hours:
		otherwise = _describe_jump(row.on_timeout, row.on_timeout_step) or _("continue")
		parts.append(_("At most {0}, else {1}").format(describe_hours(flow.awaited.limit_hours), otherwise))
	if flow.next_step:
		parts.append(_("Then go to {0}").format(flow.next_step))
	if flow.expires_after_hours:
		parts.append(_("Expires after {0} h").format(flow.expires_after_hours))
	return "; ".join(parts)


def describe_hours(hours: int) -> str:
	"""Return "3 days 2 h"."""
	days, rest = divmod(hours, 24)
	day_count = (_("1 day") if days == 1 else _("{0} days").format(days)) if days else ""
	return " ".join(filter(None, (day_count, _("{0} h").format(rest) if rest or not days else "")))


def _describe_jump(choice: str | None, step: str | None) -> str:
	if choice == Otherwise.GO_TO_STEP:
		return _("go to {0}").format(step or "?")
	return _("exit") if choice == Otherwise.EXIT else ""


def describe_decision(plan: Plan, decision: Branch | WaitOver | ExitCampaign) -> str:
	"""Return "Not met: has the tag VIP. Continued at Offer."."""
	text = _describe_cause(plan, decision)
	target = None if isinstance(decision, ExitCampaign) else plan.placed.get(decision.target)
	if target:
		text = _("{0} Continued at {1}.").format(text, target.step.label or _("the next step"))
	return text


def _describe_cause(plan: Plan, decision: Branch | WaitOver | ExitCampaign) -> str:
	if not isinstance(decision, WaitOver) and decision.unmet:
		return _("Not met: {0}.").format(describe_test(decision.unmet))[:LONGEST_REASON]
	awaited = plan.placed[decision.step_id].step.flow.awaited
	if isinstance(decision, ExitCampaign) or decision.timed_out:
		limit = describe_hours(awaited.limit_hours)
		return _("Not met within {0}: {1}.").format(limit, describe_wait(awaited))
	return _("The wait is over: {0}.").format(describe_wait(awaited))
