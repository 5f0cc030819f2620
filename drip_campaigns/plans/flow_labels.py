"""Conditions and waits as sentences, in the language of the session's user: for forms, and for the log."""

from collections.abc import Iterable

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.conditions import (
	CampaignStanding,
	CampaignTest,
	Conditions,
	EmailFeedback,
	EventTest,
	ExpressionTest,
	FieldTest,
	GroupTest,
	ListTest,
	TagTest,
	Test,
)
from drip_campaigns.core.flow.operators import as_list
from drip_campaigns.core.flow.step_flow import WaitCondition
from drip_campaigns.core.model import StepType
from drip_campaigns.plans.step_flow import make_flow


def describe_conditions(conditions: Conditions) -> str:
	"""Return "Welcome was opened and Status = Open"."""
	return (_(" and ") if conditions.needs_all else _(" or ")).join(describe_tests(conditions.tests))


def describe_tests(tests: Iterable[Test]) -> list[str]:
	"""Return a sentence for each test."""
	return [describe_test(test) for test in tests]


def describe_test(test: Test) -> str:
	"""Return what a test asks, as if it were so."""
	return _SENTENCES[type(test)](test)


def describe_step(row) -> str:
	"""Return what lists call a Drip Campaign Step that is no email: its label, or what it does."""
	if row.label or row.step_type != StepType.WAIT.value:
		return row.label or _(row.step_type)
	try:
		awaited = make_flow(row).awaited
	except DripError:  # it is being written, or was saved before what it names was deleted
		awaited = None
	return _("Wait until {0}").format(describe_wait(awaited)) if awaited else _(row.step_type)


def describe_wait(awaited: WaitCondition) -> str:
	"""Return what is waited for, such as "Welcome was clicked"."""
	if awaited.event:
		return describe_test(awaited.event)
	if awaited.field:
		return describe_test(awaited.field)
	if awaited.clock is not None:
		return f"{awaited.clock:%H:%M}"
	field = _label(awaited.date_field)
	if not awaited.days:
		return field
	sentence = _("{0} days before {1}") if awaited.days < 0 else _("{0} days after {1}")
	return sentence.format(abs(awaited.days), field)


def _field(test: FieldTest) -> str:
	name = " → ".join(
		_label(part, test.doctype if part == test.field and not test.link else "")
		for part in (test.link, test.field)
		if part
	)
	if test.operator == "is":
		return f"{name} {_('is set') if test.value == 'set' else _('is not set')}"
	value = (
		", ".join(map(str, as_list(test.value)))
		if test.operator in ("in", "not in", "Between")
		else test.value
	)
	return f"{name} {_(test.operator)} {value}"


def _label(field: str, doctype: str = "") -> str:
	if doctype and frappe.db.exists("DocType", doctype):
		return _(frappe.get_meta(doctype).get_label(field) or field)
	return _(frappe.unscrub(field))


def _event(test: EventTest) -> str:
	sentence = (_NOT_HAPPENED if test.negated else _HAPPENED)[test.event]()
	text = sentence.format(step=test.step or _("an email"), link=test.link or _("a link"))
	return _("{0} in the last {1} days").format(text, test.within_days) if test.within_days else text


def _tag(test: TagTest) -> str:
	return (_("has not the tag {0}") if test.negated else _("has the tag {0}")).format(test.tag)


def _list(test: ListTest) -> str:
	sentence = _("is not on the list {0}") if test.negated else _("is on the list {0}")
	return sentence.format(test.target_list)


def _group(test: GroupTest) -> str:
	sentence = _("is not in the Email Group {0}") if test.negated else _("is in the Email Group {0}")
	return sentence.format(test.email_group)


def _campaign(test: CampaignTest) -> str:
	sentence = _STANDS[test.stands]().format(test.campaign)
	return _("not: {0}").format(sentence) if test.negated else sentence


def _expression(test: ExpressionTest) -> str:
	return test.expression


_HAPPENED = {
	EmailFeedback.SENT: lambda: _("{step} was sent"),
	EmailFeedback.OPENED: lambda: _("{step} was opened"),
	EmailFeedback.CLICKED: lambda: _("{link} in {step} was clicked"),
	EmailFeedback.REPLIED: lambda: _("{step} was answered"),
	EmailFeedback.BOUNCED: lambda: _("{step} bounced"),
}
_NOT_HAPPENED = {
	EmailFeedback.SENT: lambda: _("{step} was not sent"),
	EmailFeedback.OPENED: lambda: _("{step} was not opened"),
	EmailFeedback.CLICKED: lambda: _("{link} in {step} was not clicked"),
	EmailFeedback.REPLIED: lambda: _("{step} was not answered"),
	EmailFeedback.BOUNCED: lambda: _("{step} did not bounce"),
}
_STANDS = {
	CampaignStanding.EVER: lambda: _("was ever on campaign {0}"),
	CampaignStanding.NOW: lambda: _("is on campaign {0}"),
	CampaignStanding.COMPLETED: lambda: _("has completed campaign {0}"),
	CampaignStanding.LEFT: lambda: _("has left campaign {0}"),
}
_SENTENCES = {
	FieldTest: _field,
	EventTest: _event,
	TagTest: _tag,
	ListTest: _list,
	GroupTest: _group,
	CampaignTest: _campaign,
	ExpressionTest: _expression,
}
