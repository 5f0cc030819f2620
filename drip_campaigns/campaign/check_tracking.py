"""Steps and triggers that ask for what nobody ever hears of: said when the campaign is saved, which is done nevertheless."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.core.flow.conditions import EmailFeedback, EventTest
from drip_campaigns.core.flow.triggers import TriggerKind
from drip_campaigns.core.model import Step
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.plans.campaign_plan import make_plan

VISITS = frozenset({EmailFeedback.OPENED, EmailFeedback.CLICKED})
BY_VISITS = frozenset({TriggerKind.LINK_CLICKED, TriggerKind.EMAIL_OPENED})


def warn_of_untracked(campaign) -> None:
	"""Tell the user which steps and triggers ask who opened, clicked or answered, where nobody ever will have."""
	lines = [*_find_deaf_steps(campaign), *_find_deaf_triggers(campaign)]
	if lines:
		title = _("Asked in vain")
		frappe.msgprint("<br>".join(lines), title=title, indicator="orange")


def _find_deaf_steps(campaign) -> Iterator[str]:
	rows = {row.name or f"new-{row.idx}": str(row.idx) for row in campaign.steps}
	steps = [step for step in make_plan(campaign).steps if step.enabled]
	asking = [rows[step.id] for step in steps if any(test.event in VISITS for test in _tests_of(step))]
	if asking and campaign.tracking_mode != TrackingMode.INDIVIDUAL.value:
		sentence = _(
			"Step {0}: this campaign does not record who opens and clicks (Tracking Mode: {1}). There, nobody has ever opened or clicked anything. Choose Individual under Tracking and Links."
		)
		yield sentence.format(", ".join(asking), _(campaign.tracking_mode))
	asking = [rows[step.id] for step in steps if _hangs_on_an_answer(step)]
	if asking and not campaign.continue_after_reply:
		sentence = _("Step {0}: who answers leaves this campaign, and never comes here. Tick {1}.")
		yield sentence.format(", ".join(asking), _("Go On After a Reply"))


def _find_deaf_triggers(campaign) -> Iterator[str]:
	for row in campaign.triggers:
		if not (row.enabled and row.source_campaign and row.kind in BY_VISITS):
			continue
		mode = frappe.db.get_value("Drip Campaign", row.source_campaign, "tracking_mode")
		if mode != TrackingMode.INDIVIDUAL.value:
			sentence = _(
				"Trigger {0}: campaign {1} does not record who opens and clicks (Tracking Mode: {2}), so it enrolls nobody. Choose Individual there."
			)
			yield sentence.format(row.idx, row.source_campaign, _(mode or TrackingMode.NONE.value))


def _tests_of(step: Step) -> Iterator[EventTest]:
	flow = step.flow
	yield from (
		test for test in (flow.conditions.tests if flow.conditions else ()) if isinstance(test, EventTest)
	)
	if flow.awaited and flow.awaited.event:
		yield flow.awaited.event


def _hangs_on_an_answer(step: Step) -> bool:
	"""Say whether nobody gets past a step without an answer; to ask for none, or to wait for one for a time, harms nobody."""
	awaited = step.flow.awaited
	waits_for_a_time = awaited is not None and awaited.limit_hours > 0
	return any(
		test.event is EmailFeedback.REPLIED
		and not test.negated
		and not (waits_for_a_time and test is awaited.event)
		for test in _tests_of(step)
	)
