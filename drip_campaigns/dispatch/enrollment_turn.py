"""One enrollment's turn in a batch: carries out as rows what the core decides. Nothing here commits or sends."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import frappe

from drip_campaigns.actions.awaited_todo import is_waiting_for_todo, keep_distance
from drip_campaigns.core.flow.evaluate import Branch, ExitCampaign, WaitOver
from drip_campaigns.core.flow.turn import PassedStep, Turn
from drip_campaigns.core.model import EventType, ExitReason, Finish, Reach, Send, Skip, Status, StepType, Wait
from drip_campaigns.core.schedule.confirmation import Confirmation, Expire, KeepWaiting
from drip_campaigns.core.transitions import next_status
from drip_campaigns.dispatch.batch_rows import Batch, EnrollmentRows, RecipientPause
from drip_campaigns.dispatch.campaign_run import CampaignRun
from drip_campaigns.dispatch.guard import Guard, Stop
from drip_campaigns.outbox.email_rows import OutgoingEmail, drip_email_name
from drip_campaigns.outbox.reschedule_late import is_late
from drip_campaigns.outbox.sending_limits import Deferral
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.plans.condition_data import EnrollmentConditionData
from drip_campaigns.plans.enrollment_state import (
	final_fields,
	live_keys,
	plan_to_site,
	read_position,
	recipient_pause_fields,
	waiting_fields,
	waits_for_confirmation,
)
from drip_campaigns.plans.flow_labels import describe_decision
from drip_campaigns.rendering.confirmation_mail import decide_confirmation_mail
from drip_campaigns.site.clock import to_site, to_site_plan

OPEN_STATUSES = frozenset({"Queued", "Sending"})
LOOK_AGAIN = timedelta(
	hours=1
)  # when the email before is still queued; settling it makes the next due earlier


class EnrollmentTurn:
	"""One enrollment's turn in a batch.

	`steps` are the enrollment's steps that have an email or an action. `making` is the step whose email is being made.
	"""

	def __init__(
		self,
		run: CampaignRun,
		batch: Batch,
		guard: Guard,
		data: EnrollmentConditionData | None,
		row: frappe._dict,
		steps: Mapping[str, frappe._dict],
		now: datetime,
	) -> None:
		self.run, self.guard, self.row, self.steps, self.now = run, guard, row, steps, now
		self.rows = EnrollmentRows(run, batch, row, now)
		position = keep_distance(run.plan, read_position(row, steps), steps)
		self.turn = Turn(run.planner, position, data, now, awaits_todo=is_waiting_for_todo(steps))
		self.making: str | None = None
		self._checked: Recipient | Stop | RecipientPause | None = None

	def take(self) -> None:
		"""Add to the batch what the enrollment gets now; raise what its template or its address raises."""
		if waits_for_confirmation(self.row):
			self._ask_for_confirmation()
			return
		stop = self._pass_steps() or self._do_last_step()
		if isinstance(stop, Stop):
			self.rows.stop(self.turn.position, stop)
		elif stop:
			self.rows.pause(stop)

	def _ask_for_confirmation(self) -> None:
		times, is_open = self.run.confirmation_times, bool(self._emails_under_way())
		decision = decide_confirmation_mail(self.row, self.steps, times, is_open=is_open, now=self.now)
		position = self.turn.position
		if isinstance(decision, Expire):
			closing = final_fields(Status.EXITED, self.now, ExitReason.NOT_CONFIRMED)
			self.rows.write(position, {**closing, "confirmation": Confirmation.EXPIRED.value})
			self.rows.log(EventType.EXITED, ExitReason.NOT_CONFIRMED.value)
		elif isinstance(decision, KeepWaiting):
			self.rows.write(position, waiting_fields(decision.until))
		elif isinstance(recipient := self._check(), Stop):
			self.rows.stop(position, recipient)
		elif isinstance(recipient, RecipientPause):
			self.rows.pause(recipient)
		else:
			self.rows.send(self._compose(Send(decision.question, self.now), recipient))
			asked_at = self.row.confirmation_asked_at or to_site(self.now)
			done = {"attempts": 0, "last_error": None, "confirmation_asked_at": asked_at}
			self.rows.write(position, {**waiting_fields(decision.then), **done})

	def _pass_steps(self) -> Stop | RecipientPause | None:
		"""Pass all that needs no email; return what forbids an action on the way."""
		for decision in self.turn.pass_steps():
			if self._is_action(decision) and isinstance(checked := self._check(), Stop | RecipientPause):
				return checked
			self._carry_out(decision)
		return None

	def _is_action(self, decision: PassedStep) -> bool:
		return isinstance(decision, Reach) and self._step_of(decision).type is StepType.ACTION

	def _carry_out(self, decision: PassedStep) -> None:
		step = self._step_of(decision)
		if isinstance(decision, Skip):
			if step.acts:
				self.rows.skip(step.id, decision.planned_at, str(decision.reason))
		elif isinstance(decision, Branch | WaitOver):
			sentence = describe_decision(self.run.plan, decision)
			if step.acts and decision.target is None:
				self.rows.skip(step.id, decision.planned_at, sentence)
			else:
				self.rows.remember(EventType.BRANCHED, sentence, step.id)
		elif self._is_action(decision):
			self.rows.run_action(self.run.rows[step.id])

	def _do_last_step(self) -> Stop | RecipientPause | None:
		"""Send the email that is due, wait, complete or exit; return what forbids the email."""
		mail, deferred_reason = None, self.row.deferred_reason
		if isinstance(self.turn.decision, Send) and not self._wait_for_email_before():
			recipient = self._check()
			if isinstance(recipient, Stop | RecipientPause):
				return recipient
			if deferral := self._check_cap(recipient):
				deferred_reason = self._defer(deferral)
			else:
				mail = self._compose(self.turn.decision, recipient)
		self.rows.add_passed()
		if mail:
			self.rows.send(mail)
			self.turn.position = self.run.planner.advance(self.turn.position, mail.step, self.now)
		self._write_state(deferred_reason, is_sent=mail is not None)
		return None

	def _wait_for_email_before(self) -> bool:
		"""Wait if the email before is late in the queue: the two must not arrive together."""
		is_late_now = any(is_late(mail, self.now) for mail in self._emails_under_way())
		if is_late_now:
			self.turn.decision = Wait(self.turn.decision.step_id, self.now + LOOK_AGAIN)
		return is_late_now

	def _defer(self, deferral: Deferral) -> str:
		"""Move the email to the next moment that the frequency cap allows; return the reason."""
		if to_site_plan(deferral.until) != self.row.deferred_until:
			self.rows.remember(EventType.DEFERRED, deferral.reason, self.turn.decision.step_id)
		self.turn.defer(deferral.until)
		return deferral.reason

	def _write_state(self, deferred_reason: str | None, *, is_sent: bool) -> None:
		decision, position = self.turn.decision, self.turn.position
		if isinstance(decision, ExitCampaign):
			self.rows.write(position, final_fields(Status.EXITED, self.now, ExitReason.CONDITION))
			self.rows.log(EventType.EXITED, describe_decision(self.run.plan, decision), decision.step_id)
		elif isinstance(decision, Finish) and not self._emails_under_way():
			self.rows.write(position, final_fields(Status.COMPLETED, self.now), end_date=self.row.end_date)
			self.rows.log(EventType.COMPLETED)
		else:
			self._write_progress(deferred_reason, self.now if is_sent else None)

	def _write_progress(self, deferred_reason: str | None, sent_at: datetime | None) -> None:
		decision, position = self.turn.decision, self.turn.position
		status = Status(self.row.status)
		if status is Status.SCHEDULED and position.reached_step:
			status = next_status(status, EventType.QUEUED)
		future = self.run.planner.future(position, sent_at)
		if isinstance(decision, Wait):  # the planned moment can be in the past, and outside the window now
			future["next_send_at"] = plan_to_site(decision.until)
		reason = deferred_reason if position.not_before else None
		done = {"attempts": 0, "last_error": None, "deferred_reason": reason}
		self.rows.write(position, {"status": status.value, **done}, **future)

	def _check(self) -> Recipient | Stop | RecipientPause:
		"""Return the recipient, or why nothing may be sent; checked once in a turn."""
		if self._checked is None:
			self._checked = self._check_guard()
		return self._checked

	def _check_guard(self) -> Recipient | Stop | RecipientPause:
		checked = self.guard.check(self.row)
		if isinstance(checked, Stop):
			return checked
		preference = self.guard.preference_of(checked)
		pause = recipient_pause_fields(preference, self.run.plan, self.turn.position, self.now)
		if pause:
			return RecipientPause(pause)
		self.row.update(
			live_keys(self.row.campaign, self.row.recipient_type, self.row.recipient, checked.email)
		)
		self.row.email_address = checked.email
		return checked

	def _check_cap(self, recipient: Recipient) -> Deferral | None:
		if not self.guard.cap:
			return None
		decision = self.turn.decision
		zone = self.turn.position.timezone or self.run.plan.timezone
		name = drip_email_name(self.row.name, decision.step_id)
		return self.guard.cap.reserve(recipient.email, name, zone, decision.planned_at)

	def _compose(self, decision: Send, recipient: Recipient) -> OutgoingEmail:
		self.making = decision.step_id
		return self.run.composer.compose(self.row, self.making, decision.planned_at, recipient, self.now)

	def _emails_under_way(self) -> list[frappe._dict]:
		return [step for step in self.steps.values() if step.status in OPEN_STATUSES]

	def _step_of(self, decision: PassedStep):
		return self.run.plan.placed[decision.step_id].step
