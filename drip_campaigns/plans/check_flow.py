"""What must be right in a campaign's flow: ways that lead somewhere, and conditions on what is there."""

from collections.abc import Iterator
from dataclasses import dataclass

import frappe
from frappe import _

from drip_campaigns.core.errors import DuplicateLabelError, InvalidFlowError
from drip_campaigns.core.flow.conditions import (
	CampaignTest,
	ExpressionTest,
	FieldTest,
	GroupTest,
	ListTest,
	Test,
)
from drip_campaigns.core.flow.flow_checks import find_unreachable, validate_flow
from drip_campaigns.core.model import Plan, Step
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.plans.campaign_plan import make_plan, step_subject
from drip_campaigns.rendering.expressions import find_problem

STANDARD_FIELDS = ("name", "owner", "creation", "modified", "modified_by")
DATE_TYPES = ("Date", "Datetime")


@dataclass(frozen=True)
class Problem:
	"""What is wrong with a step, by its row's name."""

	step: str
	sentence: str


def find_flow_problems(campaign) -> Iterator[str]:
	"""Yield what forbids saving a Drip Campaign document because of its flow. Each names the step and the remedy."""
	idx = {row.name or f"new-{row.idx}": row.idx for row in campaign.steps}
	try:
		plan = make_plan(campaign)
		validate_flow(plan)
	except (InvalidFlowError, DuplicateLabelError) as error:
		label = frappe.get_meta("Drip Campaign Step").get_label(error.field) or error.field
		yield f"{_('Step {0}').format(idx.get(error.step, ''))}, {_(label)}: {_(str(error))}"
		return
	for problem in [*find_missing_fields(plan), *find_unusable(plan), *_find_forbidden(plan)]:
		yield f"{_('Step {0}').format(idx[problem.step])}: {problem.sentence}"


def warn_of_unreachable(campaign) -> None:
	"""Tell the user which steps nobody ever reaches; the campaign is saved nevertheless."""
	names = {row.name or f"new-{row.idx}": _name(row) for row in campaign.steps}
	lost = [names[step] for step in find_unreachable(make_plan(campaign))]
	if lost:
		sentence = _("No way leads to {0}. Let another step go on there, or remove it.").format(
			", ".join(lost)
		)
		frappe.msgprint(sentence, title=_("A step that nobody reaches"), indicator="orange")


def find_missing_fields(plan: Plan) -> Iterator[Problem]:
	"""Yield the conditions and waits that ask for fields which are not there, or not there any more."""
	for step in plan.steps:
		for test in _tests(step):
			if isinstance(test, FieldTest):
				yield from _find_gone_field(step, test)
		if step.flow.awaited and step.flow.awaited.date_field:
			yield from _find_gone_field(
				step, FieldTest(step.flow.awaited.date_field, "is", "set"), DATE_TYPES
			)


def _find_gone_field(step: Step, test: FieldTest, types: tuple[str, ...] = ()) -> Iterator[Problem]:
	doctypes = [test.doctype] if test.doctype else available_types()
	if test.doctype and test.doctype not in available_types():
		yield Problem(
			step.id, _("A condition asks about {0}, which is no recipient type.").format(test.doctype)
		)
	elif test.link:
		targets = [target for doctype in doctypes if (target := _follow(doctype, test.link))]
		if not targets:
			yield _gone(step, test.link, doctypes)
		elif not any(_has(target, test.field) for target in targets):
			yield _gone(step, test.field, targets)
	elif not any(_has(doctype, test.field, types) for doctype in doctypes):
		yield _gone(step, test.field, doctypes)


def _gone(step: Step, field: str, doctypes: list[str]) -> Problem:
	sentence = _("There is no field {0} in {1}. Change the condition, or what the step waits for.")
	return Problem(step.id, sentence.format(frappe.bold(field), _(" or ").join(map(_, doctypes))))


def _follow(doctype: str, link: str) -> str | None:
	field = frappe.get_meta(doctype).get_field(link)
	return field.options if field and field.fieldtype == "Link" else None


def _has(doctype: str, fieldname: str, types: tuple[str, ...] = ()) -> bool:
	meta = frappe.get_meta(doctype)
	if types:
		field = meta.get_field(fieldname)
		return fieldname in ("creation", "modified") or bool(field and field.fieldtype in types)
	return fieldname in STANDARD_FIELDS or fieldname in meta.get_valid_columns()


def find_unusable(plan: Plan) -> Iterator[Problem]:
	"""Yield the conditions that ask for records which are not there, and expressions that cannot be used."""
	for step in plan.steps:
		for test in _tests(step):
			sentence = _RULES[type(test)](test) if type(test) in _RULES else None
			if sentence:
				yield Problem(step.id, sentence)


def _find_forbidden(plan: Plan) -> Iterator[Problem]:
	"""Yield the conditions that would tell whoever saves the campaign what that user may not read."""
	for step in plan.steps:
		for test in _tests(step):
			for doctype in available_types() if isinstance(test, FieldTest) and test.link else ():
				target = _follow(doctype, test.link) if test.doctype in ("", doctype) else None
				if target and not frappe.has_permission(target, "read"):
					sentence = _("You may not read {0}, which a condition asks about. Remove the condition.")
					yield Problem(step.id, sentence.format(_(target)))


def _tests(step: Step) -> Iterator[Test]:
	yield from step.flow.conditions.tests if step.flow.conditions else ()
	if step.flow.awaited:
		yield from (test for test in (step.flow.awaited.field, step.flow.awaited.event) if test)


def _check_there(doctype: str, name: str) -> str | None:
	if frappe.db.exists(doctype, name):
		return None
	return _("There is no {0} {1}. Choose another one.").format(_(doctype), frappe.bold(name))


def _check_expression(test: ExpressionTest) -> str | None:
	problem = find_problem(test.expression)
	return _("The expression {0} cannot be used: {1}.").format(test.expression, problem) if problem else None


_RULES = {
	ListTest: lambda test: _check_there("Drip Target List", test.target_list),
	GroupTest: lambda test: _check_there("Email Group", test.email_group),
	CampaignTest: lambda test: _check_there("Drip Campaign", test.campaign),
	ExpressionTest: _check_expression,
}


def _name(row) -> str:
	return f"“{row.label or step_subject(row) or row.idx}”"
