"""Claim queued emails for delivery, and find emails by their state, in batches."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Length
from pypika.terms import Criterion

from drip_campaigns.core.model import LIVE_STATUSES, CampaignStatus, EmailStatus, EventType, Status
from drip_campaigns.db.bulk_writes import set_values
from drip_campaigns.db.dialect import is_among

# A send_after that Frappe's flush never reaches: it pauses a queued email
PAUSED_UNTIL = datetime(9999, 1, 1)  # noqa: DTZ001 - a naive value of a Datetime field

LONG_MESSAGE_BYTES = 200_000

_OPEN = (EmailStatus.QUEUED.value, EmailStatus.SENDING.value)


def claim_mail(site_now: datetime, limit: int) -> list[frappe._dict]:
	"""Lock up to `limit` queued emails that may be delivered at `site_now`, set them to Sending, and return them.

	Only rows whose `send_after` is in the future: after it, Frappe's flush may send them. Skips rows that other workers
	hold. Returns an empty list if nothing is left.
	"""
	while emails := _lock_emails(site_now, limit):
		queued = _lock_queue_rows([email.email_queue for email in emails], site_now)
		rows = [email.update(queued[email.email_queue]) for email in emails if email.email_queue in queued]
		gone = [email.name for email in emails if email.email_queue not in queued]
		set_values("Drip Email", gone, {"deliver_at": None}, site_now)
		if rows:
			_set_sending(rows, site_now)
			return rows
	return []


def _set_sending(rows: Sequence[frappe._dict], site_now: datetime) -> None:
	set_values("Drip Email", [row.name for row in rows], {"status": EmailStatus.SENDING.value}, site_now)
	# Frappe resets rows that stay `Sending` for 15 minutes to `Not Sent`; this send_after keeps its flush from sending them.
	values = {"status": "Sending", "send_after": PAUSED_UNTIL}
	set_values("Email Queue", [row.email_queue for row in rows], values, site_now)


def _lock_emails(site_now: datetime, limit: int) -> list[frappe._dict]:
	# One table, in the order of its index: a join would lock every row that it reads, and block other workers.
	email = frappe.qb.DocType("Drip Email")
	return (
		frappe.qb.from_(email)
		.select(
			email.name, email.email_queue, email.communication, email.campaign, email.enrollment,
			email.step, email.email_address, email.queued_at, email.deliver_at,
		)
		.where((email.status == EmailStatus.QUEUED.value) & (email.deliver_at <= site_now))
		.orderby(email.deliver_at)
		.limit(limit)
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)  # fmt: skip


def _lock_queue_rows(names: Sequence[str], site_now: datetime) -> dict[str, dict[str, Any]]:
	# Waits for locked rows instead of skipping them, because a skipped row would count as deleted.
	queue = frappe.qb.DocType("Email Queue")
	message = Case().when(Length(queue.message) <= LONG_MESSAGE_BYTES, queue.message).as_("message")
	rows = (
		frappe.qb.from_(queue)
		.select(queue.name, queue.email_account, queue.sender, message)
		.where(is_among(queue.name, names) & (queue.status == "Not Sent"))
		.where((queue.send_after > site_now) & (queue.send_after < PAUSED_UNTIL))
		.for_update()
		.run(as_dict=True)
	)
	return {row.pop("name"): row for row in rows}


def message_of(mail: frappe._dict) -> bytes:
	"""Return the text of a claimed email; a long one is read right before it is sent, not with the whole group."""
	message = mail.message or frappe.db.get_value("Email Queue", mail.email_queue, "message")
	return (message or "").encode()


def lock_own(mails: Sequence[frappe._dict], replies: Mapping[str, Any]) -> list[frappe._dict]:
	"""Lock and return the claimed emails that this job still owns.

	If another job took an email over, its `deliver_at` differs. An email that the rescue put in doubt is settled by its
	reply.
	"""
	email = frappe.qb.DocType("Drip Email")
	rows = (
		frappe.qb.from_(email)
		.select(email.name, email.status, email.deliver_at)
		.where(is_among(email.name, [mail.name for mail in mails]))
		.for_update()
		.run(as_dict=True)
	)
	states = {row.name: (row.status, row.deliver_at) for row in rows}

	def is_own(mail: frappe._dict) -> bool:
		status, deliver_at = states.get(mail.name, (None, None))
		known_after_all = status == EmailStatus.IN_DOUBT.value and mail.name in replies
		return deliver_at == mail.deliver_at and (status == EmailStatus.SENDING.value or known_after_all)

	return [mail for mail in mails if is_own(mail)]


def count_deliverable(site_now: datetime) -> int:
	"""Return 1 if an email waits for delivery at `site_now`, else 0."""
	# Not get_all: its comparison with a date cannot use the index, and reads all emails that limits defer.
	email = frappe.qb.DocType("Drip Email")
	waiting = (email.status == EmailStatus.QUEUED.value) & (email.deliver_at <= site_now)
	return len(frappe.qb.from_(email).select(email.name).where(waiting).limit(1).run())


def find_claimed(enrollments: Sequence[str]) -> list[str]:
	"""Return the Email Queue rows of these enrollments that a delivery job has claimed."""
	email = frappe.qb.DocType("Drip Email")
	claimed = is_among(email.enrollment, enrollments) & (email.status == EmailStatus.SENDING.value)
	return frappe.qb.from_(email).select(email.email_queue).where(claimed).run(pluck=True)


def find_canceled_while_sending(names: Sequence[str]) -> set[str]:
	"""Return the claimed emails whose enrollment has ended or is paused since they were queued."""
	email, enrollment = frappe.qb.DocType("Drip Email"), frappe.qb.DocType("Drip Enrollment")
	campaign = frappe.qb.DocType("Drip Campaign")
	is_running = enrollment.status.isin([Status.SCHEDULED.value, Status.IN_PROGRESS.value])
	step = frappe.qb.DocType("Drip Campaign Step")
	is_paused = (campaign.status != CampaignStatus.ACTIVE.value) | (step.is_paused == 1)
	return set(
		frappe.qb.from_(email)
		.left_join(enrollment)
		.on(enrollment.name == email.enrollment)
		.left_join(campaign)
		.on(campaign.name == email.campaign)
		.left_join(step)
		.on(step.name == email.step)
		.select(email.name)
		.where(is_among(email.name, names))
		.where(enrollment.name.isnull() | ~is_running | campaign.name.isnull() | is_paused)
		.run(pluck=True)
	)


def find_stray_names(site_now: datetime, stale_before: datetime, limit: int) -> list[str]:
	"""Return the names of open emails that Frappe has settled, whose queue row was deleted, or whose worker is silent.

	Locks nothing, so that a rescue that finds nothing blocks no delivery job.
	"""
	return _strays(site_now, stale_before).limit(limit).run(pluck=True)


def lock_strays(names: Sequence[str], site_now: datetime, stale_before: datetime) -> list[frappe._dict]:
	"""Lock and return the named emails that are still strays. Call it at the beginning of a transaction."""
	email, queue = frappe.qb.DocType("Drip Email"), frappe.qb.DocType("Email Queue")
	return (
		_strays(site_now, stale_before)
		.select(
			email.email_queue, email.communication, email.campaign, email.enrollment, email.step,
			email.email_address, email.queued_at, email.status, queue.status.as_("queue_status"), queue.error,
			queue.email_account,
		)
		.where(is_among(email.name, names))
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)  # fmt: skip


def _strays(site_now: datetime, stale_before: datetime):
	"""Build the query of strays: emails that are being sent, are paused, or whose time has passed."""
	email, queue = frappe.qb.DocType("Drip Email"), frappe.qb.DocType("Email Queue")
	settled = queue.status.isin(["Sent", "Error", "Partially Sent"])
	sending = email.status == EmailStatus.SENDING.value
	queued = email.status == EmailStatus.QUEUED.value
	return (
		frappe.qb.from_(email)
		.left_join(queue)
		.on(queue.name == email.email_queue)
		.select(email.name)
		.where(sending | (queued & (email.deliver_at.isnull() | (email.deliver_at <= site_now))))
		.where(queue.name.isnull() | settled | (sending & (email.modified < stale_before)))
	)


def find_queued(*conditions: Criterion) -> list[frappe._dict]:
	"""Lock and return queued emails that no job is sending, by conditions on `email_table()` and its enrollment."""
	email, queue, enrollment = email_table(), frappe.qb.DocType("Email Queue"), enrollment_table()
	query = (
		frappe.qb.from_(email)
		.inner_join(queue)
		.on(queue.name == email.email_queue)
		.inner_join(enrollment)
		.on(enrollment.name == email.enrollment)
		.select(
			email.name, email.email_queue, email.communication, email.campaign,
			email.enrollment, email.step, email.email_address,
		)
		.where((email.status == EmailStatus.QUEUED.value) & (queue.status == "Not Sent"))
	)  # fmt: skip
	for condition in conditions:
		query = query.where(condition)
	return query.for_update().run(as_dict=True)


def lock_in_doubt(names: Sequence[str]) -> list[frappe._dict]:
	"""Lock and return those of the emails that are in doubt."""
	if not names:
		return []
	email = frappe.qb.DocType("Drip Email")
	columns = (
		"name",
		"email_queue",
		"communication",
		"campaign",
		"enrollment",
		"step",
		"email_address",
		"queued_at",
	)
	query = frappe.qb.from_(email).select(*(email[column] for column in columns))
	is_wanted = is_among(email.name, sorted(set(names))) & (email.status == EmailStatus.IN_DOUBT.value)
	return query.where(is_wanted).orderby(email.name).for_update().run(as_dict=True)


def email_table():
	"""Return the Drip Email table for conditions."""
	return frappe.qb.DocType("Drip Email")


def enrollment_table():
	"""Return the Drip Enrollment table for conditions."""
	return frappe.qb.DocType("Drip Enrollment")


def find_finished(enrollments: Sequence[str]) -> list[frappe._dict]:
	"""Lock and return the live enrollments that have no next step and no open email."""
	enrollment, email = frappe.qb.DocType("Drip Enrollment"), frappe.qb.DocType("Drip Email")
	open_emails = (
		frappe.qb.from_(email)
		.select(email.enrollment)
		.where(is_among(email.enrollment, enrollments) & email.status.isin(_OPEN))
	)
	live = [status.value for status in LIVE_STATUSES - {Status.PAUSED}]
	return (
		frappe.qb.from_(enrollment)
		.select(enrollment.name, enrollment.campaign, enrollment.email_address)
		.where(is_among(enrollment.name, enrollments) & enrollment.status.isin(live))
		# An enrollment without a moment but with a next step waits for a paused step.
		.where(enrollment.next_send_at.isnull() & (Coalesce(enrollment.next_step, "") == ""))
		.where(enrollment.name.notin(open_emails))
		.for_update()
		.run(as_dict=True)
	)


def make_event(mail: frappe._dict, event: EventType, detail: str | None) -> dict[str, Any]:
	"""Return a line of the log about an email."""
	return {
		"event_type": event.value,
		"detail": detail,
		"campaign": mail.campaign,
		"enrollment": mail.enrollment,
		"drip_email": mail.name,
		"step": mail.step,
		"email_address": mail.email_address,
	}


def name_last_emails(events: Sequence[dict[str, Any]]) -> None:
	"""Name, in each event of a person who unsubscribed, the email that they got last: one query, or none.

	That email is counted as the one by which they left, by whichever way they did.
	"""
	left = [event for event in events if event["event_type"] == EventType.UNSUBSCRIBED.value]
	left = [event for event in left if event.get("enrollment") and not event.get("step")]
	if not left:
		return
	email = frappe.qb.DocType("Drip Email")
	query = frappe.qb.from_(email).select(email.enrollment, email.step, email.name)
	got = (
		is_among(email.enrollment, sorted({event["enrollment"] for event in left}))
		& email.sent_at.isnotnull()
	)
	rows = query.where(got).orderby(email.sent_at).orderby(email.planned_at).run()
	latest = {enrollment: (step, name) for enrollment, step, name in rows}
	for event in left:
		if event["enrollment"] in latest:
			event["step"], event["drip_email"] = latest[event["enrollment"]]
