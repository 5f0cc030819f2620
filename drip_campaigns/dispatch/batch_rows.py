"""The rows that one enrollment's turn in a batch comes to: its new state, lines of the log, and what is tried again.

What to do is decided in `batch.py`; nothing here is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from jinja2 import TemplateError

from drip_campaigns.actions.queue import ActionTask
from drip_campaigns.core.model import EventType, Position, Status
from drip_campaigns.core.schedule.retry import GiveUp, decide_retry
from drip_campaigns.core.transitions import can_happen
from drip_campaigns.dispatch.campaign_run import CampaignRun, explain
from drip_campaigns.dispatch.guard import Stop
from drip_campaigns.outbox.email_rows import OutgoingEmail, SkippedStep, drip_email_name
from drip_campaigns.plans.enrollment_state import final_fields
from drip_campaigns.rendering.expressions import ExpressionError
from drip_campaigns.site.clock import to_site_plan


@dataclass
class Batch:
	"""The rows of one batch, as they will be written."""

	mails: list[OutgoingEmail] = field(default_factory=list)
	skipped: list[SkippedStep] = field(default_factory=list)
	states: list[dict[str, Any]] = field(default_factory=list)
	events: list[dict[str, Any]] = field(default_factory=list)
	text_errors: list[str] = field(default_factory=list)
	text_steps: set[str | None] = field(default_factory=set)  # None: a condition, which is no text
	tasks: list[ActionTask] = field(default_factory=list)


@dataclass(frozen=True)
class RecipientPause:
	"""The recipient has asked for a pause: the enrollment waits where it is, with these fields."""

	fields: Mapping[str, Any]


class EnrollmentWriter:
	"""Collects the rows of one enrollment's turn."""

	def __init__(
		self, run: CampaignRun, batch: Batch, row: frappe._dict, position: Position, now: datetime
	) -> None:
		self.run, self.batch, self.row, self.position, self.now = run, batch, row, position, now
		self.tasks: list[ActionTask] = []
		self.last_at: datetime | None = None  # when a step was dealt with in this turn

	def _rest(self, rest: RecipientPause) -> None:
		self.batch.states.append({**self.row, **rest.fields})
		self._log(EventType.PAUSED, _("The recipient asked for a pause."))

	def _stop(self, stop: Stop) -> None:
		self._write(final_fields(stop.status, self.now, stop.exit_reason))
		event = EventType.UNSUBSCRIBED if stop.status is Status.UNSUBSCRIBED else EventType.EXITED
		self._log(event, stop.detail)

	def _fail(self, error: Exception, step: str | None) -> None:
		if isinstance(error, TemplateError | ExpressionError):
			self.batch.text_errors.append(explain(error, self.row, self.run))
			self.batch.text_steps.add(step)
		attempts = (self.row.attempts or 0) + 1
		retry = decide_retry(attempts, self.run.max_attempts - 1, self.now)
		if isinstance(retry, GiveUp) and can_happen(Status(self.row.status), EventType.FAILED):
			message = explain(error, self.row, self.run)
			closing = final_fields(Status.FAILED, self.now)
			self.batch.tasks += self.tasks  # what it has come past is done all the same
			self._write({**closing, "attempts": attempts, "last_error": message})
			self._log(EventType.FAILED, message)
		else:
			self._retry_later(error, attempts, retry.at)

	def _retry_later(self, error: Exception, attempts: int, at: datetime) -> None:
		message = explain(error, self.row, self.run)
		unchanged = {key: self.row[key] for key in ("status", "end_date", "next_step", "next_step_subject")}
		self.batch.states.append(
			{
				**self.row,
				**unchanged,
				"attempts": attempts,
				"last_error": message,
				"next_send_at": to_site_plan(at),
			}
		)

	def _end_date(self):
		return self.run.planner.end_date(self.position, self.last_at) if self.last_at else self.row.end_date

	def _write(self, fields: Mapping[str, Any], **more: Any) -> None:
		self.batch.states.append({**self.row, **self.run.planner.fields_of(self.position), **fields, **more})

	def _log_queued(self, mail: OutgoingEmail) -> None:
		name = drip_email_name(self.row.name, mail.step)
		self._log(EventType.QUEUED, mail.rendered.subject, mail.step, name)

	def _log(
		self,
		event: EventType,
		detail: str | None = None,
		step: str | None = None,
		drip_email: str | None = None,
	) -> None:
		self.batch.events.append(
			{
				"event_type": event.value,
				"detail": detail,
				"campaign": self.row.campaign,
				"enrollment": self.row.name,
				"drip_email": drip_email,
				"step": step,
				"email_address": self.row.email_address,
			}
		)
