"""The rows that one enrollment's turn in a batch comes to: its new state, its lines of the activity log, and retries.

`enrollment_turn.py` decides; nothing is stored here.
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


class EnrollmentRows:
	"""Collects the rows of one enrollment's turn. What is passed on the way counts only when `add_passed` is called."""

	def __init__(self, run: CampaignRun, batch: Batch, row: frappe._dict, now: datetime) -> None:
		self.run, self.batch, self.row, self.now = run, batch, row, now
		self._skipped: list[SkippedStep] = []
		self._tasks: list[ActionTask] = []
		self._events: list[tuple[EventType, str, str]] = []  # what happened, a sentence, and the step

	def skip(self, step: str, planned_at: datetime, reason: str) -> None:
		"""Remember that a step is skipped for good."""
		self._skipped.append(SkippedStep(self.row, step, self.run.subjects[step], planned_at, reason))
		self.remember(EventType.SKIPPED, reason, step)

	def remember(self, event: EventType, text: str, step: str) -> None:
		"""Remember what happened at a step on the way."""
		self._events.append((event, text, step))

	def run_action(self, step: Any) -> None:
		"""Remember an action, which a job runs after the commit."""
		self._tasks.append(ActionTask(step, self.row, self.now))

	def add_passed(self) -> None:
		"""Add what was remembered on the way to the batch."""
		self.batch.skipped += self._skipped
		self.batch.tasks += self._tasks
		for event, text, step in self._events:
			self.log(event, text, step)

	def send(self, mail: OutgoingEmail) -> None:
		"""Add an email to the batch."""
		self.batch.mails.append(mail)
		name = drip_email_name(self.row.name, mail.step)
		self.log(EventType.QUEUED, mail.rendered.subject, mail.step, name)

	def pause(self, pause: RecipientPause) -> None:
		"""Pause the enrollment, because its recipient has asked for that."""
		self.batch.states.append({**self.row, **pause.fields})
		self.log(EventType.PAUSED, _("The recipient asked for a pause."))

	def stop(self, position: Position, stop: Stop) -> None:
		"""End the enrollment, because its recipient may not be sent anything more."""
		self.write(position, final_fields(stop.status, self.now, stop.exit_reason))
		event = EventType.UNSUBSCRIBED if stop.status is Status.UNSUBSCRIBED else EventType.EXITED
		self.log(event, stop.detail)

	def fail(self, position: Position, error: Exception, step: str | None) -> None:
		"""Try the enrollment again later or, after the last attempt, end it as failed. `step` is that of the email."""
		message = explain(error, self.row, self.run)
		if isinstance(error, TemplateError | ExpressionError):
			self.batch.text_errors.append(message)
			self.batch.text_steps.add(step)
		attempts = (self.row.attempts or 0) + 1
		retry = decide_retry(attempts, self.run.max_attempts - 1, self.now)
		if isinstance(retry, GiveUp) and can_happen(Status(self.row.status), EventType.FAILED):
			closing = final_fields(Status.FAILED, self.now)
			self.batch.tasks += self._tasks  # the actions on the way run all the same
			self.write(position, {**closing, "attempts": attempts, "last_error": message})
			self.log(EventType.FAILED, message)
		else:
			self.retry_later(error, attempts, retry.at)

	def retry_later(self, error: Exception, attempts: int, at: datetime) -> None:
		"""Keep the enrollment where it is, with the error, and make it due again at `at`."""
		later = {"attempts": attempts, "last_error": explain(error, self.row, self.run)}
		self.batch.states.append({**self.row, **later, "next_send_at": to_site_plan(at)})

	def write(self, position: Position, fields: Mapping[str, Any], **more: Any) -> None:
		"""Add the enrollment's new state."""
		state = {**self.row, **self.run.planner.fields_of(position), **fields, **more}
		self.batch.states.append(state)

	def log(
		self,
		event: EventType,
		detail: str | None = None,
		step: str | None = None,
		drip_email: str | None = None,
	) -> None:
		"""Add a line to the activity log."""
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
