"""Conditions on what happened to an email of the campaign."""

from collections import defaultdict
from collections.abc import Callable

from frappe import _

from drip_campaigns.core.flow.condition_kinds.event import EmailFeedback, EventTest, PastEvent
from drip_campaigns.db.dialect import select_in
from drip_campaigns.plans.condition_kind import ConditionKind
from drip_campaigns.site.clock import from_site


class EventCondition(ConditionKind):
	"""Opens and clicks of bots don't count."""

	test = EventTest

	def describe(self, test: EventTest) -> str:
		sentence = (_DID_NOT_HAPPEN if test.negated else _HAPPENED)[test.event]()
		text = sentence.format(step=test.step or _("an email"), link=test.link or _("a link"))
		return _("{0} in the last {1} days").format(text, test.within_days) if test.within_days else text

	def load(self, batch) -> dict[str, list[PastEvent]]:
		"""Load what happened to each enrollment, by its name."""
		labels = {step.id: step.label for step in batch.plan.steps}
		fields = ["enrollment", "event_type", "step", "occurred_at", "detail", "link"]
		names = [row.name for row in batch.rows]
		kinds, found = {one.value for one in EmailFeedback}, defaultdict(list)
		for row in select_in("Drip Event", fields, "enrollment", names, is_bot=0):
			if row.event_type in kinds:
				link, label = f"{row.link or ''} {row.detail or ''}", labels.get(row.step, "")
				event = PastEvent(row.event_type, label, from_site(row.occurred_at), link)
				found[row.enrollment].append(event)
		return found


def label_events() -> dict[str, str]:
	"""Return what the form calls each event, by what a JSON value calls it."""
	words = {
		EmailFeedback.OPENED: _("was opened"),
		EmailFeedback.CLICKED: _("was clicked"),
		EmailFeedback.REPLIED: _("got a reply"),
		EmailFeedback.SENT: _("was sent"),
		EmailFeedback.BOUNCED: _("bounced"),
	}
	return {event.value.lower(): label for event, label in words.items()}


_HAPPENED: dict[EmailFeedback, Callable[[], str]] = {
	EmailFeedback.SENT: lambda: _("{step} was sent"),
	EmailFeedback.OPENED: lambda: _("{step} was opened"),
	EmailFeedback.CLICKED: lambda: _("{link} in {step} was clicked"),
	EmailFeedback.REPLIED: lambda: _("{step} got a reply"),
	EmailFeedback.BOUNCED: lambda: _("{step} bounced"),
}
_DID_NOT_HAPPEN: dict[EmailFeedback, Callable[[], str]] = {
	EmailFeedback.SENT: lambda: _("{step} was not sent"),
	EmailFeedback.OPENED: lambda: _("{step} was not opened"),
	EmailFeedback.CLICKED: lambda: _("{link} in {step} was not clicked"),
	EmailFeedback.REPLIED: lambda: _("{step} got no reply"),
	EmailFeedback.BOUNCED: lambda: _("{step} did not bounce"),
}
