"""Retry failed enrollments, emails, and actions, and send skipped emails. Both are idempotent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import frappe
from frappe import _
from pypika.terms import Criterion

from drip_campaigns.actions.retry import find_failed_of, retry_actions
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import (
	LIVE_STATUSES,
	CampaignStatus,
	EmailStatus,
	EventType,
	SkipReason,
	Status,
)
from drip_campaigns.db import bulk_writes
from drip_campaigns.db.dialect import is_among
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
from drip_campaigns.people.recipients import Recipient
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
from drip_campaigns.rendering.templates import describe_error
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


@dataclass(frozen=True)
class Repairs:
	"""What Retry Failed would retry, at most BATCH_SIZE of each, and the keys under which enrollments are live again."""

	enrollments: Sequence[frappe._dict]
	emails: Sequence[frappe._dict]
	actions: Sequence[str]
	keys: dict[str, dict[str, str]]


def count_repairs(campaign) -> dict[str, int]:
	"""Return how many emails, enrollments, and actions Retry Failed (`failed`) and Send Skipped Emails (`missed`) would take up.

	The selection is that of the acts, so that a button never offers what pressing it doesn't do.
	"""
	if campaign.status == CampaignStatus.ENDED.value:
		return {"failed": 0, "missed": 0}
	found = _find_failed(campaign, locks=False)
	is_active = campaign.status == CampaignStatus.ACTIVE.value
	return {
		"failed": len(found.enrollments) + len(found.emails) + len(found.actions),
		"missed": len(_find_missed(campaign, locks=False)[0]) if is_active else 0,
	}


def retry_failed(campaign, now: datetime) -> dict[str, int]:
	"""Retry failed enrollments, emails, and actions of a campaign; return how many of each. Does not commit.

	Emails to opted-out or suppressed addresses are not retried. Raises EnrollmentRefusedError if the campaign has ended.
	"""
	if campaign.status == CampaignStatus.ENDED.value:
		check_campaign(campaign)
	found = _find_failed(campaign, locks=True)
	_retry_enrollments(campaign, found, now)
	_reopen(found, now)
	requeue(found.emails, now, now, release_after())
	return {
		"enrollments": len(found.enrollments),
		"emails": len(found.emails),
		"actions": retry_actions(found.actions, now),
	}


def send_again(campaign, names: Sequence[str], now: datetime) -> int:
	"""Queue emails of a campaign again that are in doubt; return how many. Does not commit.

	People may get them twice. Emails to opted-out or suppressed addresses are not sent. Raises EnrollmentRefusedError if the
	campaign has ended.
	"""
	if campaign.status == CampaignStatus.ENDED.value:
		check_campaign(campaign)
	is_wanted = emails.email_table().status == EmailStatus.IN_DOUBT.value
	is_wanted &= is_among(emails.email_table().name, sorted(set(names)))
	found = _without_excluded(campaign.name, [], _load_emails(campaign.name, is_wanted, locks=True), [])
	_reopen(found, now)
	requeue(found.emails, now, now, release_after())
	return len(found.emails)


def send_missed(campaign, now: datetime) -> int:
	"""Queue the emails that were skipped because they were overdue, for allowed recipients; return how many.

	Does not commit. An error of one recipient is recorded on the enrollment, and stops no other.
	"""
	allowed, errors = _find_missed(campaign, locks=True)
	rows = [row for row, _recipient in allowed]
	run = CampaignRun(campaign, postal_address(), max_attempts())
	replace_gone_senders(campaign, rows)
	run.composer.begin_batch([row.name for row in rows])
	mails: list[OutgoingEmail] = []
	for row, recipient in allowed:
		row.email_address = recipient.email
		try:
			mails.append(run.composer.compose(row, row.step, from_site(row.planned_at), recipient, now))
		except AFFECTS_ALL:
			raise
		except Exception as error:  # noqa: BLE001 - recorded on the enrollment: a text that cannot be filled
			errors.append((row, error))
	told = [(row.name, _explain(error, run.subjects[row.step])) for row, error in errors]
	bulk_writes.set_each("Drip Enrollment", ("name", "last_error"), told)
	bulk_writes.delete_rows("Drip Email", [mail.enrollment.drip_email for mail in mails])
	insert_emails(mails, [], now, release_after())
	return len(mails)


def _find_missed(
	campaign, *, locks: bool
) -> tuple[list[tuple[frappe._dict, Recipient]], list[tuple[frappe._dict, Exception]]]:
	"""Return the overdue emails that may be sent now with their recipients, and those that an error prevents."""
	rows = _load_missed(campaign, locks=locks)
	guard = Guard(campaign, rows)
	allowed, errors = [], []
	for row in rows:
		try:
			if not isinstance(recipient := guard.check(row), Stop):
				allowed.append((row, recipient))
		except DripError as error:  # no address, or another enrollment has it
			errors.append((row, error))
	return allowed, errors


def _explain(error: Exception, subject: str) -> str:
	return _("Step {0}: {1}").format(f"“{subject}”", describe_error(error)[:1000])


def _find_failed(campaign, *, locks: bool) -> Repairs:
	failed, has_failed = (
		_load_failed(campaign.name, locks=locks),
		emails.email_table().status == EmailStatus.FAILED.value,
	)
	mails = _load_emails(campaign.name, has_failed, locks=locks)
	return _without_excluded(campaign.name, failed, mails, find_failed_of(campaign.name, BATCH_SIZE))


def _without_excluded(
	campaign: str, failed: Sequence[frappe._dict], mails: Sequence[frappe._dict], actions: Sequence[str]
) -> Repairs:
	"""Return what can be retried: not a person who was enrolled again since, nor one who wants no email."""
	completed = [
		frappe._dict({**row, "name": row.enrollment})
		for row in mails
		if row.enrollment_status == Status.COMPLETED.value
	]
	once = {row.name: row for row in completed}
	keys = find_free_keys([*failed, *once.values()])
	addresses = {row.email_address for row in mails}
	excluded = find_opted_out(campaign, addresses) | find_suppressed(addresses).keys()
	return Repairs(
		[row for row in failed if row.name in keys],
		[
			row
			for row in mails
			if normalize(row.email_address) not in excluded
			and (row.enrollment in keys or row.enrollment not in once)
		],
		actions,
		keys,
	)


def _retry_enrollments(campaign, found: Repairs, now: datetime) -> None:
	run = CampaignRun(campaign, postal_address(), max_attempts())
	handled, states = load_handled_steps([row.name for row in found.enrollments]), []
	for row in found.enrollments:
		position = read_position(row, handled[row.name])
		future = plan_fields(run.plan, position, run.subjects, now)
		cleared = {"status": Status.IN_PROGRESS.value, "attempts": 0, "last_error": None, "ended_at": None}
		waiting = waiting_fields(now) if waits_for_confirmation(row) else {}
		keys = found.keys[row.name]
		states.append({**row, **position_fields(position), **future, **keys, **cleared, **waiting})
	update_enrollments(states, to_site(now))
	record_events([_event(EventType.RESUMED, state) for state in states], to_site(now))


def _reopen(found: Repairs, now: datetime) -> None:
	"""Set Completed enrollments back to In Progress, because they have an open email again."""
	done = {
		row.enrollment: frappe._dict({**row, "name": row.enrollment})
		for row in found.emails
		if row.enrollment_status == Status.COMPLETED.value
	}
	columns = ("name", "modified", "status", "ended_at", "live_recipient", "live_address")
	running = (to_site(now), Status.IN_PROGRESS.value, None)
	states = [(name, *running, *found.keys[name].values()) for name in done]
	bulk_writes.set_each("Drip Enrollment", columns, states)
	record_events([_event(EventType.REOPENED, row) for row in done.values()], to_site(now))


def _load_failed(campaign: str, *, locks: bool) -> Sequence[frappe._dict]:
	enrollment = emails.enrollment_table()
	query = (
		frappe.qb.from_(enrollment)
		.select(*(enrollment[field] for field in ENROLLMENT_FIELDS))
		.where((enrollment.campaign == campaign) & (enrollment.status == Status.FAILED.value))
		.orderby(enrollment.name)
		.limit(BATCH_SIZE)
	)
	return (query.for_update(skip_locked=True) if locks else query).run(as_dict=True)


def _load_emails(campaign: str, condition: Criterion, *, locks: bool) -> Sequence[frappe._dict]:
	email, enrollment = emails.email_table(), emails.enrollment_table()
	wanted = [status.value for status in (*LIVE_STATUSES, Status.COMPLETED)]
	query = (
		frappe.qb.from_(email)
		.inner_join(enrollment)
		.on(enrollment.name == email.enrollment)
		.inner_join(frappe.qb.DocType("Email Queue"))
		.on(frappe.qb.DocType("Email Queue").name == email.email_queue)
		.select(email.name, email.email_queue, email.enrollment, enrollment.status.as_("enrollment_status"))
		.select(
			enrollment.campaign, enrollment.recipient_type, enrollment.recipient, enrollment.email_address
		)
		.where((email.campaign == campaign) & condition)
		.where(enrollment.status.isin(wanted))
		.limit(BATCH_SIZE)
	)
	return (query.for_update(skip_locked=True) if locks else query).run(as_dict=True)


def _load_missed(campaign, *, locks: bool) -> Sequence[frappe._dict]:
	email, enrollment = emails.email_table(), emails.enrollment_table()
	fields = [enrollment[field] for field in ENROLLMENT_FIELDS]
	live = [Status.SCHEDULED.value, Status.IN_PROGRESS.value]
	query = (
		frappe.qb.from_(email)
		.inner_join(enrollment)
		.on(enrollment.name == email.enrollment)
		.select(*fields, email.name.as_("drip_email"), email.step, email.planned_at)
		.where((email.campaign == campaign.name) & (email.status == EmailStatus.SKIPPED.value))
		.where((email.reason == SkipReason.EXPIRED.value) & enrollment.status.isin(live))
		.where(email.step.isin([row.name for row in campaign.steps] or [""]))
		.limit(BATCH_SIZE)
	)
	return (query.for_update(skip_locked=True) if locks else query).run(as_dict=True)


def _event(event: EventType, row: dict) -> dict:
	return {
		"event_type": event.value,
		"campaign": row["campaign"],
		"enrollment": row["name"],
		"email_address": row["email_address"],
	}
