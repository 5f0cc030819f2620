"""The decisions of a flow as sentences for the activity log, in the language of the session's user."""

from frappe import _

from drip_campaigns.core.flow.evaluate import Branch, ExitCampaign, WaitOver
from drip_campaigns.core.model import Plan
from drip_campaigns.plans.flow_labels import describe_hours, describe_test, describe_wait

LONGEST_REASON = 140


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
