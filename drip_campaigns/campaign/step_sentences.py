"""The steps of a campaign in sentences, saved or not, as the form draws them."""

from collections.abc import Sequence
from typing import Any

import frappe
from frappe import _

from drip_campaigns.actions.labels import describe as describe_action
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import StepType
from drip_campaigns.plans.flow_labels import describe_flow, describe_tests, describe_wait
from drip_campaigns.plans.step_flow import make_flow


def describe_steps(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
	"""Return the sentences of Drip Campaign Steps by their names.

	`action` says what a step without an email does, `flow` where the step leads, `conditions` has one sentence for each test.
	"""
	steps = [frappe.get_doc({**row, "doctype": "Drip Campaign Step"}) for row in rows]
	return {
		step.name: {
			"action": _describe_action(step),
			"flow": describe_flow(step),
			"conditions": _describe_tests(step),
		}
		for step in steps
	}


def _describe_action(step) -> str:
	if step.step_type == StepType.ACTION:
		return describe_action(step)
	if step.step_type == StepType.END:
		return step.label or _("End")
	if step.step_type != StepType.WAIT:
		return ""
	try:
		awaited = make_flow(step).awaited
	except DripError:  # the row is not complete yet
		awaited = None
	return _("Wait until {0}").format(describe_wait(awaited)) if awaited else _("Wait Until")


def _describe_tests(step) -> list[str]:
	try:
		conditions = make_flow(frappe._dict(conditions=step.conditions)).conditions
	except DripError:
		conditions = None
	return describe_tests(conditions.tests) if conditions else []
