"""A condition on what happened to an email of the campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from drip_campaigns.core.flow.condition_test import ConditionData, Test, read_optional_text, take_negated
from drip_campaigns.core.json_fields import Fields, read_choice, read_count
from drip_campaigns.core.label import Label


class EmailFeedback(Label):
	"""What can happen to an email."""

	SENT = "Sent"
	OPENED = "Opened"
	CLICKED = "Clicked"
	REPLIED = "Replied"
	BOUNCED = "Bounced"


@dataclass(frozen=True)
class PastEvent:
	"""Something that a person did with an email of a step, or that happened to it. Opens and clicks of bots don't count."""

	event: str
	step: str  # its label
	at: datetime
	link: str = ""


@dataclass(frozen=True)
class EventTest(Test):
	"""Asks whether something happened: to an email of one step or of any, ever or in the last days."""

	kind = "event"
	event: EmailFeedback
	step: str = ""
	link: str = ""
	within_days: int = 0
	negated: bool = False

	@classmethod
	def read(cls, fields: Fields) -> EventTest:
		return cls(
			event=fields.take("event", read_choice({one.value.lower(): one for one in EmailFeedback})),
			step=fields.take("step", read_optional_text, ""),
			link=fields.take("link", read_optional_text, ""),
			within_days=fields.take("within_days", read_count, 0),
			negated=take_negated(fields),
		)

	def is_met(self, data: ConditionData, now: datetime) -> bool:
		since = now - timedelta(days=self.within_days) if self.within_days else None
		return (self.first(data, since) is None) == self.negated

	def first(self, data: ConditionData, since: datetime | None) -> datetime | None:
		"""Return when it first happened, not before `since`."""
		return min(
			(one.at for one in data.happenings() if self._is(one) and (since is None or one.at >= since)),
			default=None,
		)

	def _is(self, one: PastEvent) -> bool:
		is_event = one.event == self.event.value and self.step in ("", one.step)
		return is_event and (not self.link or self.link.casefold() in one.link.casefold())
