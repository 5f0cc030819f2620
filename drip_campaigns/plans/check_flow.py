"""Check a campaign's flow: jumps lead to a step, and conditions ask about what exists."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import frappe
from frappe import _

from drip_campaigns.core.errors import DuplicateLabelError, InvalidFlowError
from drip_campaigns.core.flow.condition_test import Test
from drip_campaigns.core.flow.flow_checks import find_unreachable, validate_flow
from drip_campaigns.core.model import Plan, Step
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.plans.campaign_plan import make_plan, step_subject
from drip_campaigns.plans.condition_registry import CONDITION_KINDS
from drip_campaigns.plans.wait_registry import WAIT_KINDS
from drip_campaigns.site.messages import tell


@dataclass(frozen=True)
class Problem:
	"""What is wrong with a step, by its row's name."""

	step: str
	sentence: str


def find_flow_problems(campaign, rights_of: Callable[[str], FieldRights]) -> Iterator[str]:
	"""Yield what forbids saving a Drip Campaign document because of its flow. Each names the step, and what to do.

	`rights_of` returns, for the name of a step's row, whose right to read fields counts.
	"""
	idx = {row.name or f"new-{row.idx}": row.idx for row in campaign.steps}
	try:
		plan = make_plan(campaign)
		validate_flow(plan)
	except (InvalidFlowError, DuplicateLabelError) as error:
		label = frappe.get_meta("Drip Campaign Step").get_label(error.field) or error.field
		yield f"{_('Step {0}').format(idx.get(error.step, ''))}, {_(label)}: {_(str(error))}"
		return
	for problem in [*find_missing_fields(plan), *find_unusable(plan), *_find_forbidden(plan, rights_of)]:
		yield f"{_('Step {0}').format(idx[problem.step])}: {problem.sentence}"


def warn_of_unreachable(campaign) -> None:
	"""Warn the user of steps that nobody reaches; the campaign is saved all the same."""
	names = {row.name or f"new-{row.idx}": _name(row) for row in campaign.steps}
	lost = [names[step] for step in find_unreachable(make_plan(campaign))]
	if lost:
		sentence = _("Nobody reaches {0}. Make another step continue there, or remove it.").format(
			", ".join(lost)
		)
		tell(sentence, title=_("Unreachable step"), indicator="orange")


def find_missing_fields(plan: Plan) -> Iterator[Problem]:
	"""Yield the conditions and waits that ask for fields that do not exist, or no longer."""
	for step in plan.steps:
		for test in step.flow.conditions.tests if step.flow.conditions else ():
			if sentence := CONDITION_KINDS.get(test.kind).find_missing_field(test):
				yield Problem(step.id, sentence)
		if awaited := step.flow.awaited:
			for sentence in WAIT_KINDS.get(type(awaited)).find_missing_fields(awaited):
				yield Problem(step.id, sentence)


def find_unusable(plan: Plan) -> Iterator[Problem]:
	"""Yield the conditions that ask for records that do not exist, and expressions that cannot be used."""
	for step, test in _tests(plan):
		if sentence := CONDITION_KINDS.get(test.kind).find_problem(test):
			yield Problem(step.id, sentence)


def _find_forbidden(plan: Plan, rights_of: Callable[[str], FieldRights]) -> Iterator[Problem]:
	"""Yield the conditions and waits that would reveal what the user who saves the campaign, or its owner, may not read."""
	for step in plan.steps:
		rights = rights_of(step.id)
		for test in step.flow.tests:
			for sentence in CONDITION_KINDS.get(test.kind).find_forbidden(test, rights):
				yield Problem(step.id, sentence)
		if awaited := step.flow.awaited:
			for sentence in WAIT_KINDS.get(type(awaited)).find_forbidden(awaited, rights):
				yield Problem(step.id, sentence)


def _tests(plan: Plan) -> Iterator[tuple[Step, Test]]:
	for step in plan.steps:
		yield from ((step, test) for test in step.flow.tests)


def _name(row) -> str:
	return f"“{row.label or step_subject(row) or row.idx}”"
