"""Try again what failed, and send what was missed. Both may be pressed twice: what is under way or sent is not touched."""

from collections.abc import Sequence
from datetime import datetime

import frappe

from drip_campaigns.actions.again import retry_failed_of
from drip_campaigns.core.model import EmailStatus, EventType, ExitReason, SkipReason, Status
from drip_campaigns.dispatch import mail_store
from drip_campaigns.dispatch.campaign_run import CampaignRun
from drip_campaigns.dispatch.gone_senders import replace_gone_senders
from drip_campaigns.dispatch.guard import Guard, Stop
from drip_campaigns.dispatch.options import max_attempts, postal_address, release_after
from drip_campaigns.dispatch.outbox import Mail, record_mails
from drip_campaigns.dispatch.settle import put_back
from drip_campaigns.dispatch.store import (
	ENROLLMENT_FIELDS,
	advance_enrollments,
	find_taken_keys,
	load_dealt_with,
	record_events,
)
from drip_campaigns.enrollment.state import (
	live_keys,
	plan_fields,
	position_fields,
	read_position,
	waiting_fields,
	waits_for_confirmation,
)
from drip_campaigns.site_clock import from_site, to_site

BATCH_SIZE = 500


def retry_failed(campaign, now: datetime) -> dict[str, int]:
	"""Take up enrollments, e-mails and actions that Failed; return how many of each. Does not commit.

	An e-mail that the recipient's server refused for good is not tried again: the address is wrong.
	"""
	return {
		"enrollments": _retry_enrollments(campaign, now),
		"emails": _retry_emails(campaign, now),
		"actions": retry_failed_of(campaign.name, now, BATCH_SIZE),
	}


def send_missed(campaign, now: datetime) -> int:
	"""Send the steps that were skipped because they were overdue, to whoever is still allowed; return how many.

	Does not commit. A step that was sent meanwhile has its one Drip Email already, and is not sent again.
	"""
	rows = _claim_missed(campaign.name)
	run = CampaignRun(campaign, postal_address(), max_attempts())
	replace_gone_senders(campaign, rows)
	guard = Guard(campaign, rows)
	run.threads.begin([row.name for row in rows])
	mails: list[Mail] = []
	for row in rows:
		if row.step in run.rows and not isinstance(recipient := guard.check(row), Stop):
			mails.append(run.make_mail(row, row.step, from_site(row.planned_at), recipient, now))
	mail_store.delete_rows("Drip Email", [mail.enrollment.drip_email for mail in mails])
	record_mails(mails, [], now, release_after())
	return len(mails)


def _retry_enrollments(campaign, now: datetime) -> int:
	run = CampaignRun(campaign, postal_address(), max_attempts())
	filters = {"campaign": campaign.name, "status": Status.FAILED.value}
	rows = frappe.get_all(
		"Drip Enrollment", filters=filters, fields=list(ENROLLMENT_FIELDS), limit=BATCH_SIZE
	)
	dealt_with = load_dealt_with([row.name for row in rows])
	keys = {
		row.name: live_keys(row.campaign, row.recipient_type, row.recipient, row.email_address)
		for row in rows
	}
	taken = find_taken_keys([key["live_address"] for key in keys.values()])
	states = []
	for row in rows:
		if keys[row.name]["live_address"] in taken:
			continue  # the recipient has been enrolled anew since
		position = read_position(row, dealt_with[row.name])
		future = plan_fields(run.plan, position, run.subjects, now)
		cleared = {"status": Status.IN_PROGRESS.value, "attempts": 0, "last_error": None, "left_at": None}
		waiting = waiting_fields(now) if waits_for_confirmation(row) else {}
		states.append({**row, **position_fields(position), **future, **keys[row.name], **cleared, **waiting})
	advance_enrollments(states, to_site(now))
	record_events([_event(EventType.RESUMED, state) for state in states], to_site(now))
	return len(states)


def _retry_emails(campaign, now: datetime) -> int:
	email, enrollment = mail_store.email_table(), mail_store.enrollment_table()
	bounced = enrollment.exit_reason == ExitReason.HARD_BOUNCE.value
	rows = (
		frappe.qb.from_(email)
		.inner_join(enrollment)
		.on(enrollment.name == email.enrollment)
		.inner_join(frappe.qb.DocType("Email Queue"))
		.on(frappe.qb.DocType("Email Queue").name == email.email_queue)
		.select(email.name, email.email_queue)
		.where((email.campaign == campaign.name) & (email.status == EmailStatus.FAILED.value))
		.where(enrollment.exit_reason.isnull() | (enrollment.exit_reason == "") | ~bounced)
		.where(enrollment.status != Status.UNSUBSCRIBED.value)
		.limit(BATCH_SIZE)
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)
	put_back(rows, now, now, release_after())
	return len(rows)


def _claim_missed(campaign: str) -> Sequence[frappe._dict]:
	email, enrollment = mail_store.email_table(), mail_store.enrollment_table()
	fields = [enrollment[field] for field in ENROLLMENT_FIELDS]
	live = [Status.SCHEDULED.value, Status.IN_PROGRESS.value]
	return (
		frappe.qb.from_(email)
		.inner_join(enrollment)
		.on(enrollment.name == email.enrollment)
		.select(*fields, email.name.as_("drip_email"), email.step, email.planned_at)
		.where((email.campaign == campaign) & (email.status == EmailStatus.SKIPPED.value))
		.where((email.reason == SkipReason.EXPIRED.value) & enrollment.status.isin(live))
		.limit(BATCH_SIZE)
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)


def _event(event: EventType, row: dict) -> dict:
	return {
		"event_type": event.value,
		"campaign": row["campaign"],
		"enrollment": row["name"],
		"email_address": row["email_address"],
	}
