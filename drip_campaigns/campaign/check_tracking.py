"""Warn of steps and triggers that wait for something that is never recorded. The campaign is saved all the same."""

from collections.abc import Iterator

from frappe import _

from drip_campaigns.core.flow.condition_kinds.event import EmailFeedback, EventTest
from drip_campaigns.core.model import Step
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.plans.campaign_plan import make_plan
from drip_campaigns.site.messages import tell
from drip_campaigns.triggers.tracking_gaps import explain_consent, explain_gap

VISITS = frozenset({EmailFeedback.OPENED, EmailFeedback.CLICKED})


def warn_of_untracked(campaign) -> None:
	"""Warn the user of steps and triggers that ask who opened, clicked or replied, where that is never recorded."""
	lines = [*_find_untracked_steps(campaign), *_find_untracked_triggers(campaign)]
	if lines:
		title = _("Not recorded")
		tell("\n".join(lines), title=title, indicator="orange")


def _find_untracked_steps(campaign) -> Iterator[str]:
	rows = {row.name or f"new-{row.idx}": str(row.idx) for row in campaign.steps}
	steps = [step for step in make_plan(campaign).steps if step.enabled]
	asking = [rows[step.id] for step in steps if any(test.event in VISITS for test in _tests_of(step))]
	if asking and campaign.tracking_mode != TrackingMode.INDIVIDUAL.value:
		sentence = _(
			"Step {0}: this campaign does not record who opens and clicks (Tracking Mode: {1}), so nobody counts as having opened or clicked. Choose Individual under Tracking and Links."
		)
		yield sentence.format(", ".join(asking), _(campaign.tracking_mode))
	elif asking and (gap := explain_consent()):
		yield _("Step {0}: {1}").format(", ".join(asking), gap)
	asking = [rows[step.id] for step in steps if _needs_reply(step)]
	if asking and not campaign.continue_after_reply:
		sentence = _("Step {0}: a reply ends the enrollment, so nobody reaches this step. Tick {1}.")
		yield sentence.format(", ".join(asking), _("Continue After Reply"))


def _find_untracked_triggers(campaign) -> Iterator[str]:
	for row in campaign.triggers:
		if row.enabled and (gap := explain_gap(row)):
			yield _("Trigger {0}: {1}").format(row.idx, gap)


def _tests_of(step: Step) -> Iterator[EventTest]:
	yield from (test for test in step.flow.tests if isinstance(test, EventTest))


def _needs_reply(step: Step) -> bool:
	"""Return whether nobody passes a step without a reply. A negated test, or a wait with a limit, is no problem."""
	awaited = step.flow.awaited
	waits_for_a_time = awaited is not None and awaited.limit_hours > 0
	return any(
		test.event is EmailFeedback.REPLIED
		and not test.negated
		and not (waits_for_a_time and test in awaited.tests)
		for test in _tests_of(step)
	)
