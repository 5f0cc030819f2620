"""The dispatch: find what is due, claim it in batches, queue the emails, and enqueue their delivery.

It may run at any time and any number of times. It reads the clock once per run; a batch is one transaction.
"""

import time
from datetime import datetime
from functools import partial

import frappe

from drip_campaigns.actions.queue import record_actions
from drip_campaigns.campaign.auto_pause import pause_all_sending, pause_if_active
from drip_campaigns.campaign.owners import pause_abandoned
from drip_campaigns.campaign.scheduled_changes import apply_due_changes
from drip_campaigns.core.errors import InvalidPlanError
from drip_campaigns.db.events import record_events
from drip_campaigns.dispatch.batch import make_batch
from drip_campaigns.dispatch.campaign_run import StepTextError, explain
from drip_campaigns.dispatch.due_campaigns import find_campaigns_with_due, group_by_priority
from drip_campaigns.dispatch.gone_senders import replace_gone_senders
from drip_campaigns.dispatch.run_cache import RunCache
from drip_campaigns.enrollment.resume import resume_ended_pauses
from drip_campaigns.inbound.breaker import pause_failing_campaigns
from drip_campaigns.jobs import rescue, run_triggers
from drip_campaigns.jobs import run_actions as actions
from drip_campaigns.jobs.batches import (
	DISPATCH,
	BatchJob,
	BatchState,
	commit_each,
	run_batch,
	run_isolated,
	run_transaction,
)
from drip_campaigns.jobs.count_visits import count_visits
from drip_campaigns.outbox import breaker_hints, emails, site_copy_check
from drip_campaigns.outbox.cancel import pause_queued
from drip_campaigns.outbox.email_rows import insert_emails
from drip_campaigns.plans.enrollment_rows import (
	claim_due,
	find_campaigns_with_ended_pauses,
	is_any_pause_over,
	load_handled_steps,
	update_enrollments,
)
from drip_campaigns.site.clock import to_site, to_site_plan, utc_now
from drip_campaigns.site.settings import (
	batch_size,
	dispatch_workers,
	is_sending_paused,
	may_send,
	release_after,
)
from drip_campaigns.stats import counters
from drip_campaigns.triggers.trigger_cache import publish

ACTIONS_SECONDS = 30  # the last Webhook may take as long again
DELIVERY_JOB = "drip_campaigns.jobs.deliver.deliver_due_mail"
FLUSH_JOB = "frappe.email.queue.flush"
HELP_JOB = "drip_campaigns.jobs.dispatch_due.continue_dispatch"


def dispatch_due() -> None:
	"""Count opens and clicks, run triggers and actions, and send what is due now. The scheduler calls it every five minutes."""
	now = utc_now()
	run_isolated(publish)
	run_isolated(lambda: count_visits(now))
	run_isolated(count_events)
	run_isolated(lambda: run_triggers.run(now))
	run_isolated(lambda: actions.run_briefly(now, ACTIONS_SECONDS))
	dispatch(now)


def count_events() -> None:
	"""Add new events to the counters, batch by batch."""
	for _batch in range(counters.BATCHES_A_RUN):
		if run_transaction(counters.count_next) < counters.BATCH:
			return


def dispatch(now: datetime, *, enqueue_delivery: bool = True) -> int:
	"""Queue every email that is due at `now` and return how many. Commits after each batch.

	Does nothing while sending is paused, emails are muted, or the Email Queue is suspended: the emails stay due. With
	`enqueue_delivery`, background jobs deliver the queued emails, help if many are due, and continue when time is up.
	"""
	run_isolated(lambda: rescue.rescue_strays(now))
	if not may_send():
		run_isolated(lambda: _pause_late_arrivals(now))
		return 0
	if _is_a_copy(now):
		return 0
	run_isolated(lambda: _end_pauses(now))
	run_isolated(lambda: _pause_failing(now))
	waiting = enqueue_delivery and rescue.has_waiting_mail(now)
	total, is_done = _dispatch_in_turns(now, enqueue_delivery)
	if waiting and not total:
		frappe.enqueue(DELIVERY_JOB, queue="long")
	if enqueue_delivery and not is_done:
		frappe.enqueue(HELP_JOB, queue="long")
	return total


def _pause_late_arrivals(now: datetime) -> None:
	"""Pause emails that were queued after Pause All Sending was set, before Frappe's flush sends them."""
	if is_sending_paused():
		run_transaction(lambda: pause_queued(emails.email_table().deliver_at.isnotnull(), now=now))


def _pause_failing(now: datetime) -> None:
	if campaigns := breaker_hints.take_hints():
		run_transaction(lambda: pause_failing_campaigns(campaigns, now))


def _end_pauses(now: datetime) -> None:
	"""Resume campaigns, steps, and people whose pause is over.

	Call it at the beginning of a transaction: what it reads must not be older than the locks it takes.
	"""
	if not is_any_pause_over(to_site(now)):
		return
	for campaign, piece in apply_due_changes(now):
		run_isolated(partial(run_transaction, piece), campaign)
	for campaign in find_campaigns_with_ended_pauses(to_site(now)):
		run_isolated(partial(commit_each, resume_ended_pauses(campaign, now)), campaign)


def continue_dispatch() -> None:
	"""Help a dispatch that is running, or continue one whose time was up: a background job."""
	if may_send() and not _dispatch_in_turns(utc_now(), enqueue_delivery=True)[1]:
		frappe.enqueue(HELP_JOB, queue="long")


def _dispatch_in_turns(now: datetime, enqueue_delivery: bool) -> tuple[int, bool]:
	"""Run a batch of each campaign in turn, so that a large campaign does not delay others of its priority.

	Return how many emails were queued, and whether nothing is left.
	"""
	until, total, runs = time.monotonic() + DISPATCH.seconds, 0, RunCache()
	campaigns = _without_abandoned(find_campaigns_with_due(to_site(now)), now)
	helpers = dispatch_workers() - 1 if campaigns else 0
	groups = [[CampaignBatch(name, runs, now) for name in group] for group in group_by_priority(campaigns)]
	while groups and may_send() and time.monotonic() < until:
		for job in list(groups[0]):
			result = run_isolated(partial(run_batch, job), job.campaign)
			if result is None or result.state in (BatchState.EMPTY, BatchState.PAUSED):
				groups[0].remove(job)
				continue
			total += result.count
			if result.count and enqueue_delivery:
				frappe.enqueue(DELIVERY_JOB, queue="long")
			if result.count >= batch_size() and enqueue_delivery:
				helpers = _enqueue_helpers(helpers)
		groups = groups if groups[0] else groups[1:]
	return total, not groups


def _without_abandoned(campaigns: list[str], now: datetime) -> list[str]:
	"""Return the campaigns whose owner may run them; pause the others."""
	paused = pause_abandoned(now, campaigns) if campaigns else []
	if paused:
		frappe.db.commit()
	return [campaign for campaign in campaigns if campaign not in paused]


def _enqueue_helpers(helpers: int) -> int:
	"""Enqueue jobs that help when more than one batch is due; return how many may still be enqueued: none."""
	for _helper in range(helpers):
		frappe.enqueue(HELP_JOB, queue="long")
	return 0


def check_copy_before_flush(kwargs: dict) -> None:
	"""On a copy of the site, pause our emails before Frappe's flush sends them (hook `before_job`)."""
	if kwargs.get("job_type") == FLUSH_JOB and not is_sending_paused():
		run_isolated(partial(_is_a_copy, utc_now()))


def _is_a_copy(now: datetime) -> bool:
	"""Pause all sending and return True on a site that was copied or restored from a backup."""
	try:
		recorded, marked = site_copy_check.load_record()
		reason = site_copy_check.find_copy_reason(recorded, marked)
		if reason:
			pause_all_sending(reason)
		else:
			site_copy_check.record_site_if_due(recorded, now)
	except frappe.QueryDeadlockError:  # another dispatch records the site at the same time
		frappe.db.rollback()
		return False
	frappe.db.commit()
	return reason is not None


class CampaignBatch(BatchJob):
	"""The due enrollments of one campaign: their emails are queued, and their new state is written."""

	policy = DISPATCH
	pauses_on = (StepTextError, InvalidPlanError)

	def __init__(self, campaign: str, runs: RunCache, now: datetime) -> None:
		self.campaign, self.runs, self.now = campaign, runs, now

	@property
	def size(self) -> int:
		"""The batch size of Drip Settings."""
		return batch_size()

	def claim(self, limit: int) -> list[frappe._dict]:
		"""Lock and return due enrollments."""
		return claim_due(self.campaign, to_site(self.now), limit)

	def do(self, rows: list[frappe._dict]) -> int | None:
		"""Queue the emails that are due and return how many; None if the campaign is no longer active."""
		run = self.runs.start(self.campaign)
		if run is None:
			return None
		site_now = to_site(self.now)
		replace_gone_senders(run.campaign, rows)
		batch = make_batch(run, rows, load_handled_steps([row.name for row in rows]), self.now)
		run.store_targets(self.now)
		insert_emails(batch.mails, batch.skipped, self.now, release_after())
		update_enrollments(batch.states, site_now)
		emails.name_last_emails(batch.events)
		record_events(batch.events, site_now)
		record_actions(batch.tasks, self.now)
		frappe.db.after_commit.add(partial(self.runs.keep, self.campaign))
		return len(batch.mails)

	def put_off(self, row: frappe._dict, error: Exception) -> None:
		"""Record on an enrollment why it could not be written, and make it due in an hour."""
		run = self.runs.start(self.campaign)
		if run is not None:
			later = to_site_plan(self.now + rescue.RETRY_AFTER)
			state = {**row, "last_error": explain(error, row, run), "next_send_at": later}
			update_enrollments([state], to_site(self.now))

	def pause(self, error: Exception) -> None:
		"""Pause the campaign: its text or its schedule cannot be used for anyone."""
		pause_if_active(self.campaign, str(error), self.now)
