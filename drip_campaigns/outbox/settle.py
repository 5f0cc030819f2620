"""Write down what became of emails, a group at a time: on the Drip Email, the Email Queue, the Communication, the enrollment.

Nothing here commits: the delivery job and the sweep do, after each group.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.core.inbound.bounces import BounceKind, classify_response
from drip_campaigns.core.model import LIVE_STATUSES, EmailStatus, EventType, ExitReason, Status
from drip_campaigns.db import bulk_writes
from drip_campaigns.db.events import record_events
from drip_campaigns.outbox import breaker_hints, emails
from drip_campaigns.outbox.reschedule_late import reschedule_late
from drip_campaigns.outbox.transport import DeliveryOutcome, ServerReply
from drip_campaigns.plans.enrollment_state import final_fields
from drip_campaigns.site.clock import from_site, to_site, to_site_plan
from drip_campaigns.site.settings import COUNTED_BY_US, is_sending_paused

DEFER = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(days=3)
Mails = Sequence[frappe._dict]


def settle(
	mails: Mails, answers: Mapping[str, ServerReply], now: datetime, release_after: timedelta
) -> list[frappe._dict]:
	"""Record the outcome of each of `mails`, which the caller has locked; one without an answer was not tried and goes
	back to the queue. After a deadlock the caller locks and settles again: its locks are gone.

	Return those whose address is not there: the caller suppresses it.
	"""
	groups: dict[DeliveryOutcome, list[frappe._dict]] = {outcome: [] for outcome in DeliveryOutcome}
	untried = []
	for mail in mails:
		answer = answers.get(mail.name)
		if answer is None:
			untried.append(mail)
		else:
			mail.answer = f"{answer.code or ''} {answer.text}".strip()
			mail.until = answer.until
			groups[_final(answer, mail, now)].append(mail)
	record_sent(groups[DeliveryOutcome.ACCEPTED], now)
	hard, other = _sort_refused(groups[DeliveryOutcome.REFUSED])
	record_refused(hard, now)
	record_bounced(other, now)
	record_failed(groups[DeliveryOutcome.FAILED], now)
	record_in_doubt(groups[DeliveryOutcome.UNKNOWN], now)
	requeue(untried, now, now, release_after)
	requeue(
		groups[DeliveryOutcome.DEFERRED] + groups[DeliveryOutcome.BLOCKED], now, now + DEFER, release_after
	)
	requeue(groups[DeliveryOutcome.HELD], now, now, COUNTED_BY_US)
	reschedule_late(
		[*groups[DeliveryOutcome.ACCEPTED], *groups[DeliveryOutcome.UNKNOWN]],
		[*hard, *other, *groups[DeliveryOutcome.FAILED]],
		now,
	)
	complete_finished(sorted({mail.enrollment for mail in mails}), now)
	return hard


def _sort_refused(mails: Mails) -> tuple[list[frappe._dict], list[frappe._dict]]:
	"""Return those that no server will ever take, for the address is not there, and those that were refused for another reason."""
	hard, other = [], []
	for mail in mails:
		mail.bounce = classify_response("", mail.answer).kind
		(hard if mail.bounce is BounceKind.HARD else other).append(mail)
	return hard, other


def _final(answer: ServerReply, mail: frappe._dict, now: datetime) -> DeliveryOutcome:
	"""A server that says "later" for three days is not asked again."""
	too_old = mail.queued_at and now - from_site(mail.queued_at) > GIVE_UP_AFTER
	return (
		DeliveryOutcome.FAILED if answer.outcome is DeliveryOutcome.DEFERRED and too_old else answer.outcome
	)


def record_sent(mails: Mails, now: datetime) -> None:
	"""The mail server has accepted these."""
	site_now = to_site(now)
	_set(
		mails,
		"Drip Email",
		"name",
		{"status": EmailStatus.SENT.value, "sent_at": site_now, "error": None},
		now,
	)
	_set(mails, "Email Queue", "email_queue", {"status": "Sent", "send_after": site_now, "error": None}, now)
	_set_recipients(mails, {"status": "Sent"}, now)
	_set(mails, "Communication", "communication", {"delivery_status": "Sent"}, now)
	_log(mails, EventType.SENT, now)


def record_refused(mails: Mails, now: datetime) -> None:
	"""The mail server will never accept these: a hard bounce, which ends the enrollment."""
	record_bounced(mails, now)
	ended = _end_live(mails, now)
	_log(
		[mail for mail in mails if mail.enrollment in ended],
		EventType.EXITED,
		now,
		ExitReason.HARD_BOUNCE.value,
	)


def record_bounced(mails: Mails, now: datetime) -> None:
	"""The mail server has refused these for good; what that says of the address stands on the email."""
	breaker_hints.add_hints(mail.campaign for mail in mails)
	_set_each_error(mails, EmailStatus.FAILED, now)
	bulk_writes.set_each("Drip Email", ("name", "bounce"), [(mail.name, mail.bounce.value) for mail in mails])
	_set(mails, "Communication", "communication", {"delivery_status": "Bounced"}, now)
	_log(mails, EventType.BOUNCED, now, with_answer=True)


def record_failed(mails: Mails, now: datetime) -> None:
	"""These are given up; the enrollment goes on with the next step."""
	_set_each_error(mails, EmailStatus.FAILED, now)
	_set(mails, "Communication", "communication", {"delivery_status": "Error"}, now)
	_log(mails, EventType.FAILED, now, with_answer=True)


def record_in_doubt(mails: Mails, now: datetime) -> None:
	"""Nobody can know whether these left: they are not sent again, and shown as what they are."""
	for mail in mails:
		mail.answer = mail.get("answer") or _("The worker stopped while it was sending this email.")
	_set_each_error(mails, EmailStatus.IN_DOUBT, now)
	_set(mails, "Communication", "communication", {"delivery_status": "Error"}, now)
	_log(
		mails,
		EventType.FAILED,
		now,
		_("In doubt: the email may or may not have left. It is not sent again."),
	)


def requeue(mails: Mails, now: datetime, deliver_at: datetime, release_after: timedelta) -> None:
	"""Return these to the queue, not to be delivered before `deliver_at`; the budget of attempts is not touched.

	An email that a limit holds back carries the moment of its turn with it. While all sending is held they are held as well.
	"""
	if not mails:
		return
	site_now, drip_rows, queue_rows = to_site(now), [], []
	held = is_sending_paused()
	for mail in mails:
		moment, why = mail.get("until") or deliver_at, mail.get("answer")
		ours = None if held else to_site_plan(moment)
		frappes = emails.PAUSED_UNTIL if held else to_site_plan(moment + release_after)
		drip_rows.append((mail.name, site_now, EmailStatus.QUEUED.value, ours, why))
		queue_rows.append((mail.email_queue, site_now, "Not Sent", frappes, why))
	bulk_writes.set_each("Drip Email", ("name", "modified", "status", "deliver_at", "error"), drip_rows)
	bulk_writes.set_each("Email Queue", ("name", "modified", "status", "send_after", "error"), queue_rows)


def complete_finished(enrollments: Sequence[str], now: datetime) -> None:
	"""Complete those enrollments whose last email has just been settled: no step to come, nothing under way."""
	if not enrollments:
		return
	finished = emails.find_finished(enrollments)
	bulk_writes.set_values(
		"Drip Enrollment", [row.name for row in finished], final_fields(Status.COMPLETED, now), to_site(now)
	)
	events = [
		{
			"event_type": EventType.COMPLETED.value,
			"campaign": row.campaign,
			"enrollment": row.name,
			"email_address": row.email_address,
		}
		for row in finished
	]
	record_events(events, to_site(now))


def _end_live(mails: Mails, now: datetime) -> set[str]:
	names = [mail.enrollment for mail in mails]
	live = {"name": ["in", names], "status": ["in", [status.value for status in LIVE_STATUSES]]}
	ended = set(frappe.get_all("Drip Enrollment", filters=live, pluck="name")) if names else set()
	closing = final_fields(Status.EXITED, now, ExitReason.HARD_BOUNCE)
	bulk_writes.set_values("Drip Enrollment", sorted(ended), closing, to_site(now))
	answered = [(mail.enrollment, mail.answer) for mail in mails if mail.enrollment in ended]
	bulk_writes.set_each("Drip Enrollment", ("name", "last_error"), answered)
	return ended


def _set_each_error(mails: Mails, status: EmailStatus, now: datetime) -> None:
	if not mails:
		return
	site_now = to_site(now)
	bulk_writes.set_each(
		"Drip Email",
		("name", "modified", "status", "error"),
		[(m.name, site_now, status.value, m.answer) for m in mails],
	)
	with_queue = [
		(m.email_queue, site_now, "Error", site_now, m.answer)
		for m in mails
		if m.get("queue_status", "") is not None
	]
	bulk_writes.set_each("Email Queue", ("name", "modified", "status", "send_after", "error"), with_queue)


def _set(mails: Mails, doctype: str, key: str, values: Mapping, now: datetime) -> None:
	bulk_writes.set_values(doctype, [mail[key] for mail in mails if mail[key]], values, to_site(now))


def _set_recipients(mails: Mails, values: Mapping, now: datetime) -> None:
	queues = [mail.email_queue for mail in mails if mail.email_queue]
	bulk_writes.set_values("Email Queue Recipient", queues, values, to_site(now), key="parent")


def _log(
	mails: Mails, event: EventType, now: datetime, detail: str | None = None, *, with_answer: bool = False
) -> None:
	events = [
		{
			"event_type": event.value,
			"detail": mail.answer if with_answer else detail,
			"campaign": mail.campaign,
			"enrollment": mail.enrollment,
			"drip_email": mail.name,
			"step": mail.step,
			"email_address": mail.email_address,
		}
		for mail in mails
	]
	record_events(events, to_site(now))
