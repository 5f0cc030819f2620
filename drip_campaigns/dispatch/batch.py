"""One batch of one campaign: decide for each enrollment, make its email, and collect every row to be written.

Deciding is the pure core's; nothing here commits or sends. One bad enrollment costs only itself.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.actions.awaited_todo import is_waiting_for_todo, keep_distance
from drip_campaigns.actions.queue import ActionTask
from drip_campaigns.core.errors import NoAllowedMomentError
from drip_campaigns.core.flow.evaluate import Branch, ExitCampaign, FlowDecision, WaitOver, begin_waiting
from drip_campaigns.core.model import (
	Decision,
	EventType,
	ExitReason,
	Finish,
	Reach,
	Send,
	Skip,
	Status,
	StepType,
	Wait,
)
from drip_campaigns.core.schedule.confirmation import (
	QUESTIONS,
	AskQuestion,
	Confirmation,
	Expire,
	KeepWaiting,
)
from drip_campaigns.core.transitions import next_status
from drip_campaigns.dispatch.batch_rows import Batch, EnrollmentWriter, RecipientPause
from drip_campaigns.dispatch.campaign_run import CampaignRun, StepTextError
from drip_campaigns.dispatch.flow_decisions import FlowDecisions
from drip_campaigns.dispatch.guard import Guard, Stop
from drip_campaigns.outbox.email_rows import OutgoingEmail, SkippedStep, drip_email_name
from drip_campaigns.outbox.frequency_cap import CapDeferral, FrequencyCap, load_cap
from drip_campaigns.outbox.reschedule_late import is_late
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.plans.enrollment_state import (
	final_fields,
	live_keys,
	plan_to_site,
	read_position,
	recipient_pause_fields,
	waiting_fields,
	waits_for_confirmation,
)
from drip_campaigns.rendering import confirmation_mail
from drip_campaigns.rendering.senders import NoOutgoingAccountError
from drip_campaigns.site.clock import to_site, to_site_plan

MOST_TURNS = 100  # in one run; a loop that catches up with the calendar goes on in the next
CATCH_BREATH = timedelta(minutes=5)
OPEN_STATUSES = frozenset({"Queued", "Sending"})
# So many recipients in one batch, and no email: it is the text, unless it has served somebody.
SYSTEMATIC = 10
# With errors only: an expression that runs for ever is stopped for each of five hundred.
PATIENCE_SECONDS = 10
ACCOUNT_RETRY = timedelta(minutes=15)
LOOK_AGAIN = timedelta(
	hours=1
)  # for an email under way that nobody has settled; settling it sets the right moment


def make_batch(
	run: CampaignRun,
	rows: list[frappe._dict],
	dealt_with: Mapping[str, Mapping[str, frappe._dict]],
	now: datetime,
) -> Batch:
	"""Decide for every claimed enrollment at `now` and return the rows to write; nothing is stored here."""
	batch = Batch()
	guard = Guard(run.campaign, rows, run.rules.find(rows, now))
	guard.cap = load_cap(run.campaign, [recipient.email for recipient in guard.recipients.values()], now)
	run.threads.begin([row.name for row in rows])
	flow = FlowDecisions(run.plan, rows, guard, now)
	began = time.monotonic()
	for number, row in enumerate(rows, 1):
		_Turn(run, batch, guard, flow, row, dealt_with[row.name], now).take()
		is_hopeless = number == len(batch.text_errors) >= SYSTEMATIC
		if is_hopeless and time.monotonic() - began > PATIENCE_SECONDS:
			break
	if len(batch.text_errors) >= SYSTEMATIC and not batch.mails and not run.has_served(batch.text_steps):
		raise StepTextError(_("The text cannot be filled for anybody: {0}").format(batch.text_errors[0]))
	return batch


class _Turn(EnrollmentWriter):
	"""One enrollment's turn in a batch."""

	def __init__(
		self,
		run: CampaignRun,
		batch: Batch,
		guard: Guard,
		flow: FlowDecisions,
		row: frappe._dict,
		steps: Mapping[str, frappe._dict],
		now: datetime,
	):
		super().__init__(run, batch, row, keep_distance(run.plan, read_position(row, steps), steps), now)
		self.awaits_somebody = is_waiting_for_todo(steps)
		self.checked: Recipient | Stop | RecipientPause | None = None
		self.making: str | None = None  # the step whose email is being made
		self.guard, self.flow, self.steps = guard, flow, steps
		under_way = [mail for mail in steps.values() if mail.status in OPEN_STATUSES]
		self.is_open = bool(under_way)
		self.is_held_up = any(is_late(mail, now) for mail in under_way)
		self.skipped: list[SkippedStep] = []
		self.noted: list[tuple[EventType, str, str]] = []  # what happens, a sentence, and the step

	def take(self) -> None:
		try:
			self._decide()
		except (StepTextError, NoAllowedMomentError):
			raise  # the campaign is held; nobody is counted a failure for it
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			raise  # the whole batch begins anew
		except NoOutgoingAccountError as error:
			self._retry_later(error, self.row.attempts or 0, self.now + ACCOUNT_RETRY)
		except Exception as error:  # noqa: BLE001 - one bad recipient or template must not stop the batch; it stands on its record
			self._fail(error, self.making)

	def _decide(self) -> None:
		if waits_for_confirmation(self.row):
			self._ask()
		else:
			self._go_through_steps()

	def _ask(self) -> None:
		decision = confirmation_mail.decide_confirmation_mail(
			self.row, self.steps, self.run.confirmation_times, is_open=self.is_open, now=self.now
		)
		if isinstance(decision, Expire):
			closing = final_fields(Status.EXITED, self.now, ExitReason.NOT_CONFIRMED)
			self._write({**closing, "confirmation": Confirmation.EXPIRED.value})
			self._log(EventType.EXITED, ExitReason.NOT_CONFIRMED.value)
		elif isinstance(decision, KeepWaiting):
			self._write(waiting_fields(decision.until))
		else:
			self._send_question(decision)

	def _send_question(self, decision: AskQuestion) -> None:
		mail = self._check_and_make(Send(decision.question, self.now))
		if not isinstance(mail, OutgoingEmail):
			self._leave_it(mail)
			return
		self.batch.mails.append(mail)
		self._log_queued(mail)
		asked_at = self.row.confirmation_asked_at or to_site(self.now)
		done = {"attempts": 0, "last_error": None, "confirmation_asked_at": asked_at}
		self._write({**waiting_fields(decision.then), **done})

	def _go_through_steps(self) -> None:
		decision = self._go_to_next()
		if isinstance(decision, Send) and self.is_held_up:
			# The one before it waits for the mail server, a limit or a brake: the two must not arrive together.
			decision = Wait(decision.step_id, self.now + LOOK_AGAIN)
		mail = self._check_and_make(decision) if isinstance(decision, Send) else decision
		if isinstance(mail, Stop | RecipientPause):
			self._leave_it(mail)
			return
		if isinstance(mail, CapDeferral):
			decision, mail = self._hold_back(decision, mail), None
		self.batch.skipped += self.skipped
		self.batch.tasks += self.tasks
		for event, text, step in self.noted:
			self._log(event, text, step)
		if isinstance(mail, OutgoingEmail):
			self._send(mail)
		if isinstance(decision, ExitCampaign):
			self._leave_by_flow(decision)
		elif isinstance(decision, Finish) and not self.is_open:
			self._write(final_fields(Status.COMPLETED, self.now), end_date=self._end_date())
			self._log(EventType.COMPLETED)
		else:
			self._go_on(decision)

	def _go_to_next(self) -> Decision | FlowDecision | Stop | RecipientPause:
		"""Go through all that needs no email, and return what comes then."""
		for _turn in range(MOST_TURNS):
			due = self.run.planner.decide(self.position, self.now)
			if self.awaits_somebody:
				return due if isinstance(due, Finish) else Wait(due.step_id, self.now + LOOK_AGAIN)
			turn = self.flow.evaluate_step(self.row, self.position, due)
			if isinstance(turn, Wait) and isinstance(due, Reach):
				self.position = begin_waiting(self.position, due)
			if isinstance(turn, Skip):
				self._skip(turn)
			elif isinstance(turn, Branch | WaitOver):
				self._turn_to(turn)
			elif isinstance(turn, Reach):
				if instead := self._reach(turn):
					return instead
			else:
				return turn
		return Wait(due.step_id, self.now + CATCH_BREATH)

	def _turn_to(self, turn: Branch | WaitOver) -> None:
		acts = self.run.plan.placed[turn.step_id].step.acts
		if acts and turn.target is None:
			self._pass_over(turn.step_id, turn.planned_at, self.flow.describe(turn))
		else:
			self.noted.append((EventType.BRANCHED, self.flow.describe(turn), turn.step_id))
		self.position = self.flow.go_on(self.position, turn)

	def _leave_by_flow(self, turn: ExitCampaign) -> None:
		self._write(final_fields(Status.EXITED, self.now, ExitReason.CONDITION))
		self._log(EventType.EXITED, self.flow.describe(turn), turn.step_id)

	def _leave_it(self, instead: Stop | RecipientPause) -> None:
		if isinstance(instead, Stop):
			self._stop(instead)
		else:
			self._rest(instead)

	def _skip(self, decision: Skip) -> None:
		if self.run.plan.placed[decision.step_id].step.acts:
			self._pass_over(decision.step_id, decision.planned_at, str(decision.reason))
		self.position = self.run.planner.pass_over(self.position, decision, self.now)

	def _pass_over(self, step: str, planned_at: datetime, reason: str) -> None:
		subject = self.run.subjects[step]
		self.skipped.append(SkippedStep(self.row, step, subject, planned_at, reason))
		self.noted.append((EventType.SKIPPED, reason, step))

	def _reach(self, decision: Reach) -> Stop | RecipientPause | None:
		"""Pass a step that is no email; note down an action, which a job does after the commit."""
		step = self.run.rows[decision.step_id]
		if step.step_type == StepType.ACTION:
			self.checked = checked = self.checked or self._ask_guard()
			if isinstance(checked, Stop | RecipientPause):
				return checked
			self.tasks.append(ActionTask(step, self.row, self.now))
			self.awaits_somebody = bool(step.wait_for_todo)
		self.position = self.run.planner.advance(self.position, decision.step_id, self.now)
		return None

	def _hold_back(self, decision: Send, held: CapDeferral) -> Decision:
		"""Move the step to the next moment that the frequency cap allows; it is not late then, and not lost."""
		before = self.row.deferred_until
		self.position = replace(self.position, not_before=held.until)
		self.row.deferred_reason = held.reason
		if to_site_plan(held.until) != before:
			self.noted.append((EventType.DEFERRED, held.reason, decision.step_id))
		return self.run.planner.decide(self.position, self.now)

	def _check_and_make(self, decision: Send) -> OutgoingEmail | Stop | RecipientPause | CapDeferral:
		self.checked = checked = self.checked or self._ask_guard()
		if isinstance(checked, Stop | RecipientPause):
			return checked
		if self.guard.cap and (held := self._ask_cap(self.guard.cap, checked, decision)):
			return held
		self.making = decision.step_id
		return self.run.make_mail(self.row, decision.step_id, decision.planned_at, checked, self.now)

	def _ask_guard(self) -> Recipient | Stop | RecipientPause:
		checked = self.guard.check(self.row)
		if isinstance(checked, Stop):
			return checked
		preference = self.guard.preference_of(checked)
		resting = recipient_pause_fields(preference, self.run.plan, self.position, self.now)
		if resting:
			return RecipientPause(resting)
		self.row.update(
			live_keys(self.row.campaign, self.row.recipient_type, self.row.recipient, checked.email)
		)
		self.row.email_address = checked.email
		return checked

	def _ask_cap(self, cap: FrequencyCap, recipient: Recipient, decision: Send) -> CapDeferral | None:
		if decision.step_id in QUESTIONS:  # a question is no marketing
			return None
		zone = self.position.timezone or self.run.plan.timezone
		name = drip_email_name(self.row.name, decision.step_id)
		return cap.reserve(recipient.email, name, zone, decision.planned_at)

	def _send(self, mail: OutgoingEmail) -> None:
		self.batch.mails.append(mail)
		self.position = self.run.planner.advance(self.position, mail.step, self.now)
		self.last_at = self.now
		self._log_queued(mail)

	def _go_on(self, decision: Decision) -> None:
		status = Status(self.row.status)
		if status is Status.SCHEDULED and self.position.reached_step:
			status = next_status(status, EventType.QUEUED)
		future = self.run.planner.future(self.position, self.last_at)
		if isinstance(decision, Wait):  # planned for a moment that has passed, but now is outside the window
			future["next_send_at"] = plan_to_site(decision.until)
		because = self.row.deferred_reason if self.position.not_before else None
		done = {"attempts": 0, "last_error": None, "deferred_reason": because}
		self._write({"status": status.value, **done}, **future)
