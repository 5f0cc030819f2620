"""The dispatch: find what is due, claim it in batches, record it, hand it to delivery. Safe at any time, any number of times.

This module reads the clock once per run and is one of the few that commit: a batch is one transaction.
"""

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import frappe
from frappe import _

from drip_campaigns.actions.queue import record_actions as record_actions
from drip_campaigns.campaign.auto_pause import pause_all_sending, pause_campaign
from drip_campaigns.campaign.owners import pause_abandoned
from drip_campaigns.campaign.scheduled_changes import apply_due_changes
from drip_campaigns.core.errors import InvalidPlanError
from drip_campaigns.db import deadlocks
from drip_campaigns.db.events import record_events
from drip_campaigns.dispatch.batch import make_batch
from drip_campaigns.dispatch.campaign_run import StepTextError, explain
from drip_campaigns.dispatch.due_campaigns import find_campaigns_with_due, group_by_priority
from drip_campaigns.dispatch.gone_senders import replace_gone_senders
from drip_campaigns.dispatch.run_cache import RunCache
from drip_campaigns.enrollment.pause import resume_ended_pauses
from drip_campaigns.inbound.breaker import pause_failing_campaigns
from drip_campaigns.jobs import rescue, run_triggers
from drip_campaigns.jobs import run_actions as actions
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
from drip_campaigns.site.error_log import log_failure
from drip_campaigns.site.settings import (
	batch_size,
	dispatch_workers,
	is_sending_paused,
	may_send,
	release_after,
)
from drip_campaigns.stats import counters
from drip_campaigns.triggers.trigger_cache import publish

DEADLOCK_ATTEMPTS = 3
RUN_BUDGET_SECONDS = 200  # Frappe gives a scheduled job 300
ACTIONS_BUDGET_SECONDS = 30  # the last Webhook may take as long again
DELIVERY_JOB = "drip_campaigns.jobs.deliver.deliver_due_mail"
FLUSH_JOB = "frappe.email.queue.flush"
HELP_JOB = "drip_campaigns.jobs.dispatch_due.continue_dispatch"


def dispatch_due() -> None:
	"""Count opens and clicks, enroll whom triggers and dates bring, and send what is due now: called every five minutes by the scheduler."""
	now = utc_now()
	run_isolated(publish)
	run_isolated(lambda: count_visits(now))
	run_isolated(count_events)
	run_isolated(lambda: run_triggers.run(now))
	run_isolated(lambda: actions.run_briefly(now, ACTIONS_BUDGET_SECONDS))
	dispatch(now)


def run_isolated(piece: Callable[[], Any], campaign: str = "") -> Any:
	"""Do a piece of a run that the rest must not wait for: what fails is undone and logged, and begun anew by the next run.

	`campaign` is the one that the piece is about, if it is about one.
	"""
	try:
		return piece()
	except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
		frappe.db.rollback()  # what another worker holds now is for the next run
	except Exception:  # noqa: BLE001 - logged; without this, one bad row anywhere would stop the emails of everybody
		frappe.db.rollback()
		about = (
			_("what is to be done for campaign {0}").format(campaign) if campaign else _("a part of a run")
		)
		log_failure(_("Drip Campaigns: {0} failed, the rest went on").format(about))
		frappe.db.commit()
	return None


def count_events() -> None:
	"""Add what has happened since to the sums; what another worker holds at this moment is for the next run."""
	for _batch in range(counters.BATCHES_A_RUN):
		frappe.db.commit()
		try:
			counted = counters.count_next()
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			frappe.db.rollback()
			return
		frappe.db.commit()
		if counted < counters.BATCH:
			return


def dispatch(now: datetime, *, enqueue_delivery: bool = True) -> int:
	"""Queue every email that is due at `now` and return how many; commits after each batch.

	Does nothing while sending is held, emails are muted or the Email Queue is suspended: what is due stays due.
	With `enqueue_delivery`, background jobs deliver what was queued, help if much is due, and go on if time is up.
	"""
	run_isolated(lambda: rescue.rescue_strays(now))
	if not may_send():
		run_isolated(lambda: _hold_latecomers(now))
		return 0
	if _is_a_copy(now):
		return 0
	run_isolated(lambda: _end_pauses(now))
	run_isolated(lambda: _pause_the_bad(now))
	waiting = enqueue_delivery and rescue.has_waiting_mail(now)
	total, is_done = _dispatch_in_turns(now, enqueue_delivery)
	if waiting and not total:
		frappe.enqueue(DELIVERY_JOB, queue="long")
	if enqueue_delivery and not is_done:
		frappe.enqueue(HELP_JOB, queue="long")
	return total


def _hold_latecomers(now: datetime) -> None:
	"""Hold what came into the queue at the moment of Hold All Sending, or since, before Frappe's flush takes it."""
	if is_sending_paused():
		pause_queued(emails.email_table().deliver_at.isnotnull(), now=now)
		frappe.db.commit()


def _pause_the_bad(now: datetime) -> None:
	if pause_failing_campaigns(breaker_hints.take_hints(), now):
		frappe.db.commit()


def _end_pauses(now: datetime) -> None:
	"""Let campaigns, steps and people go on whose pause is over.

	Called at the beginning of a transaction: what it reads must not be older than the locks it takes.
	"""
	if not is_any_pause_over(to_site(now)):
		return
	for campaign, piece in apply_due_changes(now):
		run_isolated(piece, campaign)
		frappe.db.commit()
	for campaign in find_campaigns_with_ended_pauses(to_site(now)):
		run_isolated(partial(_resume_rested, campaign, now), campaign)


def _resume_rested(campaign: str, now: datetime) -> None:
	frappe.db.commit()
	for _count in resume_ended_pauses(campaign, now):
		frappe.db.commit()


def continue_dispatch() -> None:
	"""Take part in a dispatch that is under way, or go on with one whose time was up: a background job."""
	if may_send() and not _dispatch_in_turns(utc_now(), enqueue_delivery=True)[1]:
		frappe.enqueue(HELP_JOB, queue="long")


def _dispatch_in_turns(now: datetime, enqueue_delivery: bool) -> tuple[int, bool]:
	"""Run a batch of each campaign in turn, so that a large one does not keep others of its priority waiting.

	Return how many emails were queued, and whether nothing is left.
	"""
	started, total, runs = time.monotonic(), 0, RunCache()
	campaigns = _without_abandoned(find_campaigns_with_due(to_site(now)), now)
	helpers = dispatch_workers() - 1 if campaigns else 0
	groups = group_by_priority(campaigns)
	while groups and may_send() and time.monotonic() - started < RUN_BUDGET_SECONDS:
		for campaign in list(groups[0]):
			queued = run_isolated(partial(_dispatch_batch, runs, campaign, now), campaign)
			if queued is None:
				groups[0].remove(campaign)
				continue
			total += queued
			if queued and enqueue_delivery:
				frappe.enqueue(DELIVERY_JOB, queue="long")
			if queued >= batch_size() and enqueue_delivery:
				helpers = _call(helpers)
		groups = groups if groups[0] else groups[1:]
	return total, not groups


def _without_abandoned(campaigns: list[str], now: datetime) -> list[str]:
	"""Return the campaigns whose owner may run them; the others are held."""
	held = pause_abandoned(now, campaigns) if campaigns else []
	if held:
		frappe.db.commit()
	return [campaign for campaign in campaigns if campaign not in held]


def _call(helpers: int) -> int:
	"""Let other workers take part once there is more than one batch; return how many may still be called: none."""
	for _helper in range(helpers):
		frappe.enqueue(HELP_JOB, queue="long")
	return 0


def check_copy_before_flush(kwargs: dict) -> None:
	"""Frappe is about to send what waits in its queue: on a copy of the site, ours is held first (hook `before_job`)."""
	if kwargs.get("job_type") == FLUSH_JOB and not is_sending_paused():
		run_isolated(partial(_is_a_copy, utc_now()))


def _is_a_copy(now: datetime) -> bool:
	"""Hold all sending, and return True, on a site that finds itself copied or restored from a backup."""
	try:
		doubt = site_copy_check.check_site_copy(now)
	except frappe.QueryDeadlockError:  # another dispatch notes the same at this moment
		frappe.db.rollback()
		return False
	if doubt:
		pause_all_sending(doubt)
	frappe.db.commit()
	return doubt is not None


def _dispatch_batch(runs: RunCache, campaign: str, now: datetime) -> int | None:
	"""Run one transaction; return how many emails it queued, or None when nothing was left to claim.

	A batch that cannot be written as a whole is written one by one, so that only the cause of it stays behind.
	"""
	limit = batch_size()
	for _attempt in range(DEADLOCK_ATTEMPTS):
		try:
			return _claim_and_record(runs, campaign, limit, now)
		except (StepTextError, InvalidPlanError) as error:
			frappe.db.rollback()
			pause_campaign(frappe.get_doc("Drip Campaign", campaign), str(error), now)
			frappe.db.commit()
			return None
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			frappe.db.rollback()
			deadlocks.wait_after_deadlock()
		except Exception:  # noqa: BLE001 - narrowed down to the one enrollment that cannot be written
			frappe.db.rollback()
			return _dispatch_singly(runs, campaign, limit, now)
	return 0  # no fault of these enrollments: they are still due, and the next turn comes back to them


def _dispatch_singly(runs: RunCache, campaign: str, limit: int, now: datetime) -> int | None:
	counts = [_dispatch_one(runs, campaign, now) for _ in range(limit)]
	done = [count for count in counts if count is not None]
	return sum(done) if done else None


def _dispatch_one(runs: RunCache, campaign: str, now: datetime) -> int | None:
	try:
		return _claim_and_record(runs, campaign, 1, now)
	except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
		frappe.db.rollback()
		return 0
	except Exception as error:  # noqa: BLE001 - recorded on the enrollment, which is tried again later
		frappe.db.rollback()
		_put_off(runs, campaign, error, now)
		return 0


def _claim_and_record(runs: RunCache, campaign: str, limit: int, now: datetime) -> int | None:
	site_now = to_site(now)
	# The claim opens the transaction: what is read after it is not older than the locks it holds.
	frappe.db.commit()
	rows = claim_due(campaign, site_now, limit)
	run = runs.start(campaign) if rows else None
	if run is None:
		frappe.db.rollback()
		return None
	replace_gone_senders(run.campaign, rows)
	batch = make_batch(run, rows, load_handled_steps([row.name for row in rows]), now)
	run.store_targets(now)
	insert_emails(batch.mails, batch.skipped, now, release_after())
	update_enrollments(batch.states, site_now)
	record_events(batch.events, site_now)
	record_actions(batch.tasks, now)
	frappe.db.commit()
	runs.keep(campaign)
	return len(batch.mails)


def _put_off(runs: RunCache, campaign: str, error: Exception, now: datetime) -> None:
	"""Note on the first due enrollment why it could not be written, and try it again in an hour."""
	rows = claim_due(campaign, to_site(now), 1)
	run = runs.start(campaign) if rows else None
	if run is not None:
		row, later = rows[0], to_site_plan(now + rescue.RETRY_AFTER)
		state = {**row, "last_error": explain(error, row, run), "next_send_at": later}
		update_enrollments([state], to_site(now))
	frappe.db.commit()
