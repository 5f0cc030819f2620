"""Wait until the recipient opens, clicks or replies to an email of the campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from drip_campaigns.core.flow.condition_kinds.event import EmailFeedback, EventTest
from drip_campaigns.core.flow.wait_kind import CHECK_AGAIN, Awaited, WaitFor, Waiting
from drip_campaigns.core.json_fields import Fields, read_choice, read_text
from drip_campaigns.core.label import Label

_EVENTS = {
	WaitFor.OPENED: EmailFeedback.OPENED,
	WaitFor.CLICKED: EmailFeedback.CLICKED,
	WaitFor.REPLIED: EmailFeedback.REPLIED,
}


class WaitSince(Label):
	"""From when on an event counts."""

	START = "Start"
	THIS_STEP = "This Step"


@dataclass(frozen=True)
class EventWait(Awaited):
	"""Ends with an event, which may have happened before the step was reached."""

	kinds = tuple(_EVENTS)
	event: EventTest
	counts_from_start: bool = True

	@classmethod
	def fields_of(cls, kind: str) -> tuple[str, ...]:
		return ("wait_step", "wait_since", *(("wait_link",) if kind == WaitFor.CLICKED else ()))

	@classmethod
	def take(cls, fields: Fields, kind: str, **limit: Any) -> EventWait:
		options = {option.value.lower(): option for option in WaitSince}
		since = fields.take("wait_since", read_choice(options), WaitSince.START)
		step, link = fields.take("wait_step", read_text, ""), fields.take("wait_link", read_text, "")
		return cls(EventTest(_EVENTS[kind], step, link), since is WaitSince.START, **limit)

	@property
	def tests(self) -> tuple[EventTest, ...]:
		return (self.event,)

	def look(self, waiting: Waiting) -> tuple[datetime | None, datetime]:
		since = waiting.start if self.counts_from_start else waiting.reached
		happened = self.event.first(waiting.data, since)
		return (max(happened, waiting.began) if happened else None), waiting.now + CHECK_AGAIN
