"""Record the outcomes of a group of emails: on the Drip Email, the Email Queue, the Communication, and the enrollment.

Nothing here commits: the delivery job and the rescue do, after each group.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.core.inbound.response_words import Severity
from drip_campaigns.core.inbound.server_responses import classify_response
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
	mails: Mails, replies: Mapping[str, ServerReply], now: datetime, release_after: timedelta
) -> list[frappe._dict]:
	"""Record the outcome of each of `mails`, which the caller has locked; an email without a reply is queued again.

	Return the emails whose address does not exist: the caller suppresses it. After a deadlock, the caller locks the
	emails again before it calls this again.
	"""
	groups: dict[DeliveryOutcome, list[frappe._dict]] = {outcome: [] for outcome in DeliveryOutcome}
	untried = []
	for mail in mails:
		reply = replies.get(mail.name)
		if reply is None:
			untried.append(mail)
		else:
			mail.reply = f"{reply.code or ''} {reply.text}".strip()
			mail.until = reply.until
			groups[_final(reply, mail, now)].append(mail)
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
	"""Return the emails whose address does not exist, and those that were refused for another reason."""
	hard, other = [], []
	for mail in mails:
		mail.finding = classify_response("", mail.reply)
		(hard if mail.finding.severity is Severity.HARD else other).append(mail)
	return hard, other


def _final(reply: ServerReply, mail: frappe._dict, now: datetime) -> DeliveryOutcome:
	"""Return the outcome; an email that a server deferred for three days fails."""
	too_old = reply.outcome is DeliveryOutcome.DEFERRED and is_too_old(mail, now)
	return DeliveryOutcome.FAILED if too_old else reply.outcome


def is_too_old(mail: frappe._dict, now: datetime) -> bool:
	"""Return whether an email has been queued for longer than we try to send it."""
	return bool(mail.queued_at) and now - from_site(mail.queued_at) > GIVE_UP_AFTER


def record_sent(mails: Mails, now: datetime, because: str | None = None) -> None:
	"""Record emails that a mail server accepted. `because` says how we know, if the server did not say so."""
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
	_log(mails, EventType.SENT, now, because)


def record_refused(mails: Mails, now: datetime) -> None:
	"""Record hard bounces, and end their enrollments: the mail server will never accept these emails."""
	record_bounced(mails, now)
	ended = _end_live(mails, now)
	_log(
		[mail for mail in mails if mail.enrollment in ended],
		EventType.EXITED,
		now,
		ExitReason.HARD_BOUNCE.value,
	)


def record_bounced(mails: Mails, now: datetime) -> None:
	"""Record emails that a mail server refused, with the kind of bounce on the email."""
	breaker_hints.add_hints(mail.campaign for mail in mails)
	_set_each_error(mails, EmailStatus.FAILED, now)
	bounces = [(mail.name, mail.finding.severity.value, mail.finding.category.value) for mail in mails]
	bulk_writes.set_each("Drip Email", ("name", "bounce", "bounce_reason"), bounces)
	_set(mails, "Communication", "communication", {"delivery_status": "Bounced"}, now)
	_log(mails, EventType.BOUNCED, now, with_reply=True)


def record_failed(mails: Mails, now: datetime) -> None:
	"""Record emails that failed; their enrollments continue with the next step."""
	_set_each_error(mails, EmailStatus.FAILED, now)
	_set(mails, "Communication", "communication", {"delivery_status": "Error"}, now)
	_log(mails, EventType.FAILED, now, with_reply=True)


def record_in_doubt(mails: Mails, now: datetime) -> None:
	"""Record emails as In Doubt: they may have been sent, so they are not sent again."""
	for mail in mails:
		mail.reply = mail.get("reply") or _("The worker stopped while it was sending this email.")
	_set_each_error(mails, EmailStatus.IN_DOUBT, now)
	_set(mails, "Communication", "communication", {"delivery_status": "Error"}, now)
	_log(
		mails,
		EventType.FAILED,
		now,
		_("In doubt: the email may have been sent. It is not sent again."),
	)


def settle_in_doubt(names: Sequence[str], now: datetime, because: str) -> int:
	"""Record, of the emails that are in doubt, that they arrived; return how many were. `because` says how we know.

	An open or a click by a person, a reply, or a bounce of that very email proves that the mail server had accepted it.
	"""
	mails = emails.lock_in_doubt(names)
	record_sent(mails, now, because)
	bulk_writes.set_each(
		"Drip Email", ("name", "sent_at"), [(mail.name, mail.queued_at or to_site(now)) for mail in mails]
	)
	return len(mails)


def requeue(mails: Mails, now: datetime, deliver_at: datetime, release_after: timedelta) -> None:
	"""Queue these emails again, for delivery from `deliver_at` on; this does not count as an attempt.

	An email that a limit deferred has its own moment in `until`. While all sending is paused, the emails are paused, too.
	"""
	if not mails:
		return
	site_now, drip_rows, queue_rows = to_site(now), [], []
	is_paused = is_sending_paused()
	for mail in mails:
		moment, why = mail.get("until") or deliver_at, mail.get("reply")
		ours = None if is_paused else to_site_plan(moment)
		frappes = emails.PAUSED_UNTIL if is_paused else to_site_plan(moment + release_after)
		drip_rows.append((mail.name, site_now, EmailStatus.QUEUED.value, ours, why))
		queue_rows.append((mail.email_queue, site_now, "Not Sent", frappes, why))
	bulk_writes.set_each("Drip Email", ("name", "modified", "status", "deliver_at", "error"), drip_rows)
	bulk_writes.set_each("Email Queue", ("name", "modified", "status", "send_after", "error"), queue_rows)


def complete_finished(enrollments: Sequence[str], now: datetime) -> None:
	"""Complete the enrollments that have no next step and no open email."""
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
	errors = [(mail.enrollment, mail.reply) for mail in mails if mail.enrollment in ended]
	bulk_writes.set_each("Drip Enrollment", ("name", "last_error"), errors)
	return ended


def _set_each_error(mails: Mails, status: EmailStatus, now: datetime) -> None:
	if not mails:
		return
	site_now = to_site(now)
	bulk_writes.set_each(
		"Drip Email",
		("name", "modified", "status", "error"),
		[(m.name, site_now, status.value, m.reply) for m in mails],
	)
	with_queue = [
		(m.email_queue, site_now, "Error", site_now, m.reply)
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
	mails: Mails, event: EventType, now: datetime, detail: str | None = None, *, with_reply: bool = False
) -> None:
	events = [emails.make_event(mail, event, mail.reply if with_reply else detail) for mail in mails]
	record_events(events, to_site(now))
