"""A step that is an action, as a sentence: for the form, lists, counters and the log."""

from frappe import _

from drip_campaigns.actions.registry import ACTION_KINDS
from drip_campaigns.core.flow.actions import RunWhen

LONGEST = 140


def describe(step) -> str:
	"""Return what an action does, in one line of at most 140 characters."""
	kind = ACTION_KINDS.find(step.action)
	text = kind.describe(step) if kind else _(step.action or "Choose an action")
	if step.run_when == RunWhen.ON_EXIT:
		because = _(step.on_exit_reason) if step.on_exit_reason else None
		text = _("On exit ({0}): {1}").format(because, text) if because else _("On exit: {0}").format(text)
	return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
