"""Retry failed enrollments, emails, and actions, and send skipped emails. Both are idempotent."""

from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.actions.retry import retry_failed_of
from drip_campaigns.core.model import (
	LIVE_STATUSES,
	CampaignStatus,
	EmailStatus,
	EventType,
	SkipReason,
	Status,
)
from drip_campaigns.db import bulk_writes
from drip_campaigns.db.events import record_events
from drip_campaigns.dispatch.campaign_run import CampaignRun, StepTextError
from drip_campaigns.dispatch.gone_senders import replace_gone_senders
from drip_campaigns.dispatch.guard import Guard, Stop
from drip_campaigns.enrollment.campaign_checks import check_campaign
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.email_rows import OutgoingEmail, insert_emails
from drip_campaigns.outbox.settle import requeue
from drip_campaigns.people.addresses import normalize
from drip_campaigns.people.field_rights import UnreadableFieldError
from drip_campaigns.people.opt_outs import find_opted_out
from drip_campaigns.people.suppression import find_suppressed
from drip_campaigns.plans.enrollment_rows import (
	ENROLLMENT_FIELDS,
	find_free_keys,
	load_handled_steps,
	update_enrollments,
)
from drip_campaigns.plans.enrollment_state import (
	plan_fields,
	position_fields,
	read_position,
	waiting_fields,
	waits_for_confirmation,
)
from drip_campaigns.rendering.senders import NoOutgoingAccountError
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.settings import max_attempts, postal_address, release_after

BATCH_SIZE = 500
AFFECTS_ALL = (
	StepTextError,
	UnreadableFieldError,
	NoOutgoingAccountError,
	frappe.QueryDeadlockError,
	frappe.QueryTimeoutError,
)


def retry_failed(campaign, now: datetime) -> dict[str, int]:
	"""Retry failed enrollments, emails, and actions of a campaign; return how many of each. Does not commit.

	Emails to opted-out or suppressed addresses are not retried. Raises EnrollmentRefusedError if the campaign has ended.
	"""
	if campaign.status == CampaignStatus.ENDED.value:
		check_campaign(campaign)
	return {
		"enrollments": _retry_enrollments(campaign, now),
		"emails": _retry_emails(campaign, now),
		"actions": retry_failed_of(campaign.name, now, BATCH_SIZE),
	}


def send_missed(campaign, now: datetime) -> int:
	"""Queue the emails that were skipped because they were overdue, for allowed recipients; return how many.

	Does not commit. An error of one recipient is recorded on the enrollment, and stops no other.
	"""
	rows = _claim_missed(campaign.name)
	run = CampaignRun(campaign, postal_address(), max_attempts())
	replace_gone_senders(campaign, rows)
	guard = Guard(campaign, rows)
	run.composer.begin_batch([row.name for row in rows])
	mails: list[OutgoingEmail] = []
	errors: list[tuple[str, str]] = []
	for row in rows:
		try:
			mails += _make_missed(run, guard, row, now)
		except AFFECTS_ALL:
			raise
		except Exception as error:  # noqa: BLE001 - recorded on the enrollment: no address, or a text that cannot be filled
			errors.append((row.name, _explain(error, run.subjects[row.step])))
	bulk_writes.set_each("Drip Enrollment", ("name", "last_error"), errors)
	bulk_writes.delete_rows("Drip Email", [mail.enrollment.drip_email for mail in mails])
	insert_emails(mails, [], now, release_after())
	return len(mails)


def _make_missed(run: CampaignRun, guard: Guard, row: frappe._dict, now: datetime) -> list[OutgoingEmail]:
	if row.step not in run.rows or isinstance(recipient := guard.check(row), Stop):
		return []
	row.email_address = recipient.email
	return [run.composer.compose(row, row.step, from_site(row.planned_at), recipient, now)]


def _explain(error: Exception, subject: str) -> str:
	return _("Step {0}: {1}").format(f"“{subject}”", f"{type(error).__name__}: {error}"[:1000])


def _retry_enrollments(campaign, now: datetime) -> int:
	run = CampaignRun(campaign, postal_address(), max_attempts())
	filters = {"campaign": campaign.name, "status": Status.FAILED.value}
	rows = frappe.get_all(
		"Drip Enrollment", filters=filters, fields=list(ENROLLMENT_FIELDS), limit=BATCH_SIZE
	)
	handled = load_handled_steps([row.name for row in rows])
	keys, states = find_free_keys(rows), []
	for row in rows:
		if row.name not in keys:
			continue  # the recipient was enrolled again since
		position = read_position(row, handled[row.name])
		future = plan_fields(run.plan, position, run.subjects, now)
		cleared = {"status": Status.IN_PROGRESS.value, "attempts": 0, "last_error": None, "ended_at": None}
		waiting = waiting_fields(now) if waits_for_confirmation(row) else {}
		states.append({**row, **position_fields(position), **future, **keys[row.name], **cleared, **waiting})
	update_enrollments(states, to_site(now))
	record_events([_event(EventType.RESUMED, state) for state in states], to_site(now))
	return len(states)


def _retry_emails(campaign, now: datetime) -> int:
	email, enrollment = emails.email_table(), emails.enrollment_table()
	wanted = [status.value for status in (*LIVE_STATUSES, Status.COMPLETED)]
	rows = (
		frappe.qb.from_(email)
		.inner_join(enrollment)
		.on(enrollment.name == email.enrollment)
		.inner_join(frappe.qb.DocType("Email Queue"))
		.on(frappe.qb.DocType("Email Queue").name == email.email_queue)
		.select(email.name, email.email_queue, email.enrollment, enrollment.status.as_("enrollment_status"))
		.select(
			enrollment.campaign, enrollment.recipient_type, enrollment.recipient, enrollment.email_address
		)
		.where((email.campaign == campaign.name) & (email.status == EmailStatus.FAILED.value))
		.where(enrollment.status.isin(wanted))
		.limit(BATCH_SIZE)
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)
	addresses = {row.email_address for row in rows}
	excluded = find_opted_out(campaign.name, addresses) | find_suppressed(addresses).keys()
	rows = _reopen([row for row in rows if normalize(row.email_address) not in excluded], now)
	requeue(rows, now, now, release_after())
	return len(rows)


def _reopen(rows: Sequence[frappe._dict], now: datetime) -> list[frappe._dict]:
	"""Set Completed enrollments back to In Progress, because they have an open email again.

	Return the rows whose email may be sent: not those of recipients who were enrolled again.
	"""
	completed = {row.enrollment: row for row in rows if row.enrollment_status == Status.COMPLETED.value}
	done = {name: frappe._dict({**row, "name": name}) for name, row in completed.items()}
	keys = find_free_keys(list(done.values()))
	columns = ("name", "modified", "status", "ended_at", "live_recipient", "live_address")
	running = (to_site(now), Status.IN_PROGRESS.value, None)
	bulk_writes.set_each(
		"Drip Enrollment", columns, [(name, *running, *own.values()) for name, own in keys.items()]
	)
	record_events([_event(EventType.REOPENED, done[name]) for name in keys], to_site(now))
	return [row for row in rows if row.enrollment in keys or row.enrollment not in done]


def _claim_missed(campaign: str) -> Sequence[frappe._dict]:
	email, enrollment = emails.email_table(), emails.enrollment_table()
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
