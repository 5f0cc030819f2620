"""Cancel queued emails, or pause them. Nothing here commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import frappe
import redis

from drip_campaigns.core.model import (
	LIVE_STATUSES,
	CampaignStatus,
	EmailStatus,
	EventType,
	ExitReason,
	Status,
)
from drip_campaigns.db import bulk_writes
from drip_campaigns.db.dialect import select_in
from drip_campaigns.db.events import record_events
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.delivery_state import DeliveryState
from drip_campaigns.outbox.settle import requeue
from drip_campaigns.people.addresses import normalize
from drip_campaigns.people.suppression import EXIT_REASONS, find_suppressed
from drip_campaigns.site.clock import to_site

_LIVE = [status.value for status in LIVE_STATUSES]
_RUNNING = [Status.SCHEDULED.value, Status.IN_PROGRESS.value, Status.COMPLETED.value]


def cancel(enrollments: Sequence[str], reason: str, now: datetime) -> int:
	"""Cancel the queued emails of `enrollments`, and return how many.

	The queue row and the Communication are deleted, because the email was not sent; the Drip Email stays, as Skipped
	with `reason`. An email that a delivery job has claimed but not begun to send is canceled by that job.
	"""
	if not enrollments:
		return 0
	if claimed := emails.find_claimed(enrollments):
		frappe.db.after_commit.add(lambda: _end_claims(claimed))
	mails = emails.find_queued(emails.email_table().enrollment.isin(list(enrollments)))
	cancel_emails(mails, reason, now)
	return len(mails)


def _end_claims(queue_names: Sequence[str]) -> None:
	try:
		DeliveryState().take_back(queue_names)
	except redis.RedisError:  # the job checks the database again within a second
		frappe.logger("drip_campaigns").warning("Redis did not end the claims of canceled emails")


def cancel_emails(mails: Sequence[frappe._dict], reason: str, now: datetime) -> None:
	"""Cancel these emails, which the caller has locked."""
	if not mails:
		return
	site_now = to_site(now)
	queues, communications = [mail.email_queue for mail in mails], [mail.communication for mail in mails]
	values = {
		"status": EmailStatus.SKIPPED.value,
		"reason": reason,
		"email_queue": None,
		"communication": None,
		"deliver_at": None,
	}
	bulk_writes.set_values("Drip Email", [mail.name for mail in mails], values, site_now)
	bulk_writes.delete_rows("Email Queue Recipient", queues, key="parent")
	bulk_writes.delete_rows("Email Queue", queues)
	bulk_writes.delete_rows("Communication Link", communications, key="parent")
	bulk_writes.delete_rows("Communication", communications)
	record_events([emails.make_event(mail, EventType.CANCELED, reason) for mail in mails], site_now)


def cancel_or_pause(mails: list[frappe._dict], now: datetime) -> list[frappe._dict]:
	"""Cancel or pause the emails of a claimed group that must no longer be sent; return the rest. Called right before SMTP."""
	mails = _cancel_suppressed(mails, now)
	if not mails:
		return []
	stopped = emails.find_canceled_while_sending([mail.name for mail in mails])
	if not stopped:
		return mails
	enrollments = [mail.enrollment for mail in mails if mail.name in stopped]
	rows = select_in("Drip Enrollment", ["name", "status", "exit_reason"], "name", enrollments)
	ends = {row.name: row.exit_reason or row.status for row in rows}
	kept = {row.name for row in rows if row.status in (*_LIVE, Status.COMPLETED.value)}
	to_pause = [mail for mail in mails if mail.name in stopped and mail.enrollment in kept]
	_cancel_for(
		{
			mail.name: ends.get(mail.enrollment, ExitReason.REMOVED.value)
			for mail in mails
			if mail.name in stopped and mail.enrollment not in kept
		},
		mails,
		now,
	)
	requeue(to_pause, now, now, timedelta(0))
	_pause(to_pause, now)
	return [mail for mail in mails if mail.name not in stopped]


def _cancel_suppressed(mails: list[frappe._dict], now: datetime) -> list[frappe._dict]:
	"""Cancel the emails to suppressed addresses, with the reason for which their enrollments end."""
	suppressed = find_suppressed([mail.email_address for mail in mails])
	reasons = {
		mail.name: (EXIT_REASONS[suppressed[address]] or Status.UNSUBSCRIBED).value
		for mail in mails
		if (address := normalize(mail.email_address)) in suppressed
	}
	_cancel_for(reasons, mails, now)
	return [mail for mail in mails if mail.name not in reasons]


def _cancel_for(reasons: Mapping[str, str], mails: Sequence[frappe._dict], now: datetime) -> None:
	"""Cancel those of the emails that have a reason in `reasons`, by name."""
	for reason in sorted(set(reasons.values())):
		cancel_emails([mail for mail in mails if reasons.get(mail.name) == reason], reason, now)


def pause_queued(*conditions, now: datetime) -> None:
	"""Pause queued emails, by conditions on `emails.email_table()` or its enrollment."""
	_pause(emails.find_queued(*conditions), now)


def resume_queued(*conditions, now: datetime, release_after: timedelta) -> None:
	"""Resume paused emails, unless their campaign, step, or enrollment is still paused."""
	email, campaign = emails.email_table(), frappe.qb.DocType("Drip Campaign")
	active = (
		frappe.qb.from_(campaign).select(campaign.name).where(campaign.status == CampaignStatus.ACTIVE.value)
	)
	step = frappe.qb.DocType("Drip Campaign Step")
	paused_steps = frappe.qb.from_(step).select(step.name).where(step.is_paused == 1)
	running = emails.enrollment_table().status.isin(_RUNNING) & email.step.notin(paused_steps)
	paused = emails.find_queued(email.deliver_at.isnull(), email.campaign.isin(active), running, *conditions)
	requeue(paused, now, now, release_after)


def _pause(mails: Sequence[frappe._dict], now: datetime) -> None:
	site_now = to_site(now)
	bulk_writes.set_values("Drip Email", [mail.name for mail in mails], {"deliver_at": None}, site_now)
	queues = [mail.email_queue for mail in mails]
	bulk_writes.set_values("Email Queue", queues, {"send_after": emails.PAUSED_UNTIL}, site_now)
