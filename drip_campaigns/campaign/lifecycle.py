"""Activate, pause, close, and end a campaign. The caller checks permissions and commits."""

from datetime import datetime

import frappe
from frappe import _
from frappe.query_builder.functions import Coalesce

from drip_campaigns.campaign.check import find_activation_problems, find_save_problems
from drip_campaigns.campaign.replan import AT_ONCE, count_affected, replan
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import LIVE_STATUSES, CampaignStatus, EventType, ExitReason, Status
from drip_campaigns.core.schedule.confirmation import Confirmation
from drip_campaigns.db import bulk_writes, doc_event_queue
from drip_campaigns.db.deadlocks import retry_on_deadlock
from drip_campaigns.db.events import record_events
from drip_campaigns.db.single_writes import write_fields
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.cancel import cancel, pause_queued, resume_queued
from drip_campaigns.plans.enrollment_state import final_fields
from drip_campaigns.site.clock import from_site, site_date, to_site, utc_now
from drip_campaigns.site.messages import add_note
from drip_campaigns.site.settings import release_after
from drip_campaigns.triggers.refused_firings import settle_refused

END_BATCH = 1000


class CampaignProblemError(DripError):
	"""The campaign cannot do this now."""


def activate(campaign, now: datetime, *, enroll_refused: bool = False) -> bool:
	"""Activate a draft or paused campaign; raise CampaignProblemError with every problem found.

	The time of the pause does not count for waiting enrollments. `enroll_refused`: enroll those who came while the
	campaign took no one new. Return whether the campaign is active now: with many
	enrollments, a background job first plans their new times.
	"""
	_check_status(campaign, (CampaignStatus.DRAFT, CampaignStatus.PAUSED), _("activated"))
	problems = [*find_save_problems(campaign), *find_activation_problems(campaign)]
	if problems:
		raise CampaignProblemError("\n".join(problems))
	if count_affected(campaign.name) <= AT_ONCE:
		_start(campaign, now, enroll_refused)
		return True
	frappe.enqueue(
		"drip_campaigns.campaign.lifecycle.start_in_background",
		queue="long",
		campaign=campaign.name,
		enroll_refused=enroll_refused,
		job_id=f"drip-start-{campaign.name}",
		deduplicate=True,
		enqueue_after_commit=True,
	)
	return False


@retry_on_deadlock
def start_in_background(campaign: str, enroll_refused: bool = False) -> None:
	"""Replan all enrollments of a campaign and activate it, in one transaction: a background job."""
	document = frappe.get_doc("Drip Campaign", campaign)
	if document.status in (CampaignStatus.DRAFT.value, CampaignStatus.PAUSED.value):
		_start(document, utc_now(), enroll_refused)


def _start(campaign, now: datetime, enroll_refused: bool) -> None:
	paused_since = from_site(campaign.paused_at) or from_site(campaign.creation)
	replan(campaign, now, held_from=paused_since)
	cleared = {"paused_at": None, "paused_until": None, "pause_reason": None, "take_no_one_new": 0}
	_set_status(campaign, CampaignStatus.ACTIVE, **cleared, resumed_at=to_site(now))
	settle_refused(campaign.name, to_site(now), enroll=enroll_refused)
	start_scheduled(now, campaign.name)
	resume_queued(emails.email_table().campaign == campaign.name, now=now, release_after=release_after())


def pause(campaign, now: datetime, until: datetime | None = None, *, take_no_one_new: bool = False) -> None:
	"""Pause an active campaign and its queued emails. No step is lost. With `until`, it resumes then.

	`take_no_one_new`: nobody is enrolled during the pause.
	"""
	_check_status(campaign, (CampaignStatus.ACTIVE,), _("paused"))
	if until and until <= now:
		raise CampaignProblemError(_("A pause ends in the future. Choose a later moment."))
	times = {"paused_at": to_site(now), "paused_until": to_site(until)}
	_set_status(campaign, CampaignStatus.PAUSED, **times, take_no_one_new=int(take_no_one_new))
	pause_queued(emails.email_table().campaign == campaign.name, now=now)


def close(campaign, now: datetime) -> None:
	"""Stop new enrollments. The campaign ends when the last live enrollment ends."""
	_check_status(campaign, (CampaignStatus.ACTIVE, CampaignStatus.PAUSED), _("closed"))
	if not campaign.closed_at:
		write_fields(campaign, {"closed_at": to_site(now)}, notify=True)
		add_note(campaign, _("closed the campaign to new enrollments"))


def reopen(campaign) -> None:
	"""Accept new enrollments again in a closed campaign that has not ended."""
	_check_status(campaign, (CampaignStatus.ACTIVE, CampaignStatus.PAUSED), _("reopened"))
	if campaign.closed_at:
		write_fields(campaign, {"closed_at": None}, notify=True)
		add_note(campaign, _("opened the campaign to new enrollments"))


def end(campaign, now: datetime) -> int:
	"""End a campaign: exit its live enrollments and cancel its queued emails. Return the number of exits."""
	_check_status(campaign, (CampaignStatus.DRAFT, CampaignStatus.ACTIVE, CampaignStatus.PAUSED), _("ended"))
	_set_status(campaign, CampaignStatus.ENDED, paused_at=None, paused_until=None)
	live = [status.value for status in LIVE_STATUSES]
	total = 0
	while True:
		filters = {"campaign": campaign.name, "status": ["in", live]}
		fields = ["name", "campaign", "email_address"]
		rows = frappe.get_all("Drip Enrollment", filters=filters, fields=fields, limit=END_BATCH)
		if not rows:
			return total
		names = [row.name for row in rows]
		closing = final_fields(Status.EXITED, now, ExitReason.REMOVED)
		bulk_writes.set_values("Drip Enrollment", names, closing, to_site(now))
		cancel(names, _("The campaign was ended."), now)
		detail = {"event_type": EventType.EXITED.value, "detail": _("The campaign was ended.")}
		events = [
			{**detail, "campaign": row.campaign, "enrollment": row.name, "email_address": row.email_address}
			for row in rows
		]
		record_events(events, to_site(now))
		total += len(rows)


def start_scheduled(now: datetime, campaign: str | None = None) -> None:
	"""Set enrollments whose start date has come to In Progress, in one statement."""
	enrollment, campaigns = frappe.qb.DocType("Drip Enrollment"), frappe.qb.DocType("Drip Campaign")
	running = (
		frappe.qb.from_(campaigns)
		.select(campaigns.name)
		.where(campaigns.status.isin([CampaignStatus.ACTIVE.value, CampaignStatus.PAUSED.value]))
	)
	begins = (enrollment.status == Status.SCHEDULED.value) & (enrollment.start_date <= site_date(now))
	begins &= enrollment.campaign.isin(running)
	begins &= Coalesce(enrollment.confirmation, "") != Confirmation.AWAITING.value
	if campaign:
		begins &= enrollment.campaign == campaign
	if doc_event_queue.has_listener("Drip Enrollment"):
		names = frappe.qb.from_(enrollment).select(enrollment.name).where(begins).run(pluck=True)
		doc_event_queue.record_changes("Drip Enrollment", names)
	values = {"status": Status.IN_PROGRESS.value, "modified": to_site(now)}
	bulk_writes.set_where("Drip Enrollment", begins, values)


def _check_status(campaign, allowed: tuple[CampaignStatus, ...], verb: str) -> None:
	if campaign.status not in [status.value for status in allowed]:
		raise CampaignProblemError(
			_("Campaign {0} is {1} and cannot be {2}. Reload the form to see its state.").format(
				campaign.name, _(campaign.status), verb
			)
		)


def _set_status(campaign, status: CampaignStatus, **fields) -> None:
	write_fields(campaign, {"status": status.value, **fields}, notify=True)
	add_note(campaign, _("set the campaign to {0}"), _(status.value))
