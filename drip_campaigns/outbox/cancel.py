"""Call queued emails back: for good when somebody leaves, for a while when sending is held. Nothing here commits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import frappe
import redis

from drip_campaigns.core.model import LIVE_STATUSES, CampaignStatus, EmailStatus, EventType, Status
from drip_campaigns.db import bulk_writes
from drip_campaigns.db.events import record_events
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.delivery_state import DeliveryState
from drip_campaigns.outbox.settle import requeue
from drip_campaigns.people.addresses import normalize
from drip_campaigns.people.suppression import find_suppressed
from drip_campaigns.site.clock import to_site

_LIVE = [status.value for status in LIVE_STATUSES]
_RUNNING = [Status.SCHEDULED.value, Status.IN_PROGRESS.value, Status.COMPLETED.value]


def cancel(enrollments: Sequence[str], reason: str, now: datetime) -> int:
	"""Withdraw what is queued for `enrollments`; return how many emails.

	The queue row and the Communication go, for the email never left; the Drip Email stays, as Skipped with `reason`.
	What a delivery job has in hand and has not begun to send goes back to the queue, and is withdrawn from there.
	"""
	if not enrollments:
		return 0
	if in_hand := emails.find_claimed(enrollments):
		frappe.db.after_commit.add(lambda: _take_out_of_hand(in_hand))
	mails = emails.find_queued(emails.email_table().enrollment.isin(list(enrollments)))
	cancel_emails(mails, reason, now)
	return len(mails)


def _take_out_of_hand(queue_names: Sequence[str]) -> None:
	try:
		DeliveryState().take_back(queue_names)
	except redis.RedisError:  # the job asks the database again within a second
		frappe.logger("drip_campaigns").warning("Redis could not be told that somebody has left")


def cancel_emails(mails: Sequence[frappe._dict], reason: str, now: datetime) -> None:
	"""Withdraw these emails, whose rows the caller holds."""
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
	events = [
		{
			"event_type": EventType.CANCELED.value,
			"detail": reason,
			"campaign": mail.campaign,
			"enrollment": mail.enrollment,
			"drip_email": mail.name,
			"step": mail.step,
			"email_address": mail.email_address,
		}
		for mail in mails
	]
	record_events(events, site_now)


def cancel_or_pause(mails: list[frappe._dict], now: datetime) -> list[frappe._dict]:
	"""Take out of a claimed group what must not leave after all; return the rest. Asked right before SMTP; commits nothing."""
	mails = _withdraw_suppressed(mails, now)
	if not mails:
		return []
	stopped = emails.find_canceled_while_sending([mail.name for mail in mails])
	if not stopped:
		return mails
	enrollments = [mail.enrollment for mail in mails if mail.name in stopped]
	filters = {"name": ["in", enrollments], "status": ["in", [*_LIVE, Status.COMPLETED.value]]}
	held = set(frappe.get_all("Drip Enrollment", filters=filters, pluck="name"))
	cancel_emails([m for m in mails if m.name in stopped and m.enrollment not in held], "Left", now)
	to_hold = [mail for mail in mails if mail.name in stopped and mail.enrollment in held]
	requeue(to_hold, now, now, timedelta(0))
	_hold(to_hold, now)
	return [mail for mail in mails if mail.name not in stopped]


def _withdraw_suppressed(mails: list[frappe._dict], now: datetime) -> list[frappe._dict]:
	suppressed = find_suppressed([mail.email_address for mail in mails])
	if not suppressed:
		return mails
	cancel_emails([mail for mail in mails if normalize(mail.email_address) in suppressed], "Suppressed", now)
	return [mail for mail in mails if normalize(mail.email_address) not in suppressed]


def pause_queued(*conditions, now: datetime) -> None:
	"""Keep queued emails from leaving, by conditions on `mail_store.email_table()` or its enrollment; none is lost."""
	_hold(emails.find_queued(*conditions), now)


def resume_queued(*conditions, now: datetime, release_after: timedelta) -> None:
	"""Let held emails go on, unless their campaign, step or enrollment is still paused."""
	email, campaign = emails.email_table(), frappe.qb.DocType("Drip Campaign")
	active = (
		frappe.qb.from_(campaign).select(campaign.name).where(campaign.status == CampaignStatus.ACTIVE.value)
	)
	step = frappe.qb.DocType("Drip Campaign Step")
	paused_steps = frappe.qb.from_(step).select(step.name).where(step.is_paused == 1)
	running = emails.enrollment_table().status.isin(_RUNNING) & email.step.notin(paused_steps)
	held = emails.find_queued(email.deliver_at.isnull(), email.campaign.isin(active), running, *conditions)
	requeue(held, now, now, release_after)


def _hold(mails: Sequence[frappe._dict], now: datetime) -> None:
	site_now = to_site(now)
	bulk_writes.set_values("Drip Email", [mail.name for mail in mails], {"deliver_at": None}, site_now)
	queues = [mail.email_queue for mail in mails]
	bulk_writes.set_values("Email Queue", queues, {"send_after": emails.PAUSED_UNTIL}, site_now)
