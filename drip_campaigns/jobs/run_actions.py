"""Do the actions that are due: in small batches, with the rights of the campaign's owner, effect and outcome in one transaction.

Webhooks come last, one at a time, because another company's server may be slow. A background job runs after the commit
of what was decided, and every dispatch runs again, so that a lost job loses nothing. A killed worker changes nothing.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import frappe
from frappe import _

from drip_campaigns.actions import action_rows, webhooks
from drip_campaigns.actions.context import ActionResult, BrokenActionError, WebhookDoubtError
from drip_campaigns.actions.executor import ActionExecutor
from drip_campaigns.actions.queue import WORK_JOB
from drip_campaigns.campaign.auto_pause import pause_if_active
from drip_campaigns.campaign.owners import explain_unfit_owner
from drip_campaigns.core.flow.actions import MOST_RETRIES, ActionStatus
from drip_campaigns.core.model import CampaignStatus, EventType
from drip_campaigns.core.schedule.retry import GiveUp, decide_retry
from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.db.events import record_events
from drip_campaigns.db.savepoints import attempt
from drip_campaigns.jobs.batches import (
	ACTIONS,
	BatchJob,
	BatchResult,
	BatchState,
	run_batch,
	run_transaction,
)
from drip_campaigns.site.background_jobs import call_worker
from drip_campaigns.site.clock import to_site, to_site_plan, utc_now
from drip_campaigns.site.messages import read_error

T = TypeVar("T")
LONGEST_OUTCOME = 1000


class ActionBatch(BatchJob):
	"""The due actions of one campaign that are not Webhooks."""

	policy = ACTIONS
	pauses_on = (BrokenActionError,)
	size = 20  # an action may hold locks on records that people are working on
	is_webhook = False

	def __init__(self, campaign: str, now: datetime) -> None:
		self.name, self.now = campaign, now

	def run(self) -> BatchResult:
		"""Run one batch."""
		return run_batch(self)

	def claim(self, limit: int) -> list[frappe._dict]:
		"""Lock and return due actions."""
		frappe.set_user("Administrator")
		return action_rows.claim_due(self.name, to_site(self.now), limit, webhooks=self.is_webhook)

	def do(self, rows: Sequence[frappe._dict]) -> int | None:
		"""Do the actions and return how many; None if the campaign is paused or its owner may not run it."""
		campaign = frappe.get_doc("Drip Campaign", self.name)
		if campaign.status == CampaignStatus.PAUSED.value or explain_unfit_owner(campaign):
			return None
		self.do_for(campaign, rows)
		return len(rows)

	def do_for(self, campaign, rows: Sequence[frappe._dict]) -> None:
		"""Do the actions of a campaign that is running, and record their outcomes."""
		_settle(rows, _do_all(campaign, rows, self.now), self.now)

	def put_off(self, row: frappe._dict, error: Exception) -> None:
		"""Record why an action failed, and retry it later."""
		_settle([row], {row.name: error}, self.now)

	def pause(self, error: Exception) -> None:
		"""Pause the campaign: the step is wrong, not the people in it."""
		frappe.set_user("Administrator")
		pause_if_active(self.name, str(error), self.now)


class WebhookBatch(ActionBatch):
	"""The due Webhooks of one campaign, one at a time: recorded before the call, and settled after it."""

	is_webhook = True
	size = 1
	prepared: tuple[frappe._dict, webhooks.WebhookCall] | None = None

	def run(self) -> BatchResult:
		"""Call one Webhook, if one is due, while no transaction is open."""
		result = super().run()
		if self.prepared:
			row, call = self.prepared
			run_transaction(partial(_settle_call, row, webhooks.send(call), self.now))
		return result

	def claim(self, limit: int) -> list[frappe._dict]:
		"""Lock and return a due Webhook."""
		self.prepared = None
		return super().claim(limit)

	def do_for(self, campaign, rows: Sequence[frappe._dict]) -> None:
		"""Prepare the call, and record that it is about to be made."""
		[row] = rows
		call = _run_as_owner(campaign, ActionExecutor(campaign, rows, self.now).prepare_call, row)
		if isinstance(call, ActionResult):
			_settle(rows, {row.name: call}, self.now)
			return
		running = [(row.name, to_site(self.now), ActionStatus.RUNNING.value)]
		set_each("Drip Action", ("name", "modified", "status"), running)
		self.prepared = row, call


def run_job() -> None:
	"""Do what is due now: a background job after actions were committed. The next job continues when time is up."""
	_run(utc_now(), ACTIONS.seconds)


def run_briefly(now: datetime, seconds: float) -> None:
	"""Do what is due within `seconds`, and enqueue a background job for the rest, so that emails do not wait."""
	_count, is_done = _run(now, seconds)
	if not is_done:
		call_worker(WORK_JOB, "drip-actions")


def run(now: datetime) -> int:
	"""Do every action that is due at `now` and return how many; an action that fails is retried with growing delay."""
	return _run(now, math.inf)[0]


def _run(now: datetime, seconds: float) -> tuple[int, bool]:
	"""Do what is due, and start nothing after `seconds`; return how many were done, and whether nothing is left."""
	user, until = frappe.session.user, time.monotonic() + seconds
	try:
		run_transaction(partial(_settle_silent, now))
		campaigns = action_rows.find_due_campaigns(to_site(now))
		turns = [
			_run_in_turns([kind(name, now) for name in campaigns], until)
			for kind in (ActionBatch, WebhookBatch)
		]
	finally:
		frappe.set_user(user)
	return sum(count for count, _is_done in turns), all(is_done for _count, is_done in turns)


def _run_in_turns(jobs: Sequence[ActionBatch], until: float) -> tuple[int, bool]:
	"""Run a batch of one campaign after the other until nothing is left or the time is up."""
	waiting, total = deque(jobs), 0
	while waiting and time.monotonic() < until:
		job = waiting.popleft()
		result = job.run()
		total += result.count
		if result.state is BatchState.DONE:
			waiting.append(job)
	return total, not waiting


def _do_all(campaign, rows: Sequence[frappe._dict], now: datetime) -> dict[str, ActionResult | Exception]:
	"""Do each action in its own savepoint; return the result or the error of each by its name."""
	executor = ActionExecutor(campaign, rows, now)
	return _run_as_owner(campaign, lambda: {row.name: _do_one(executor, row) for row in rows})


def _do_one(executor: ActionExecutor, row: frappe._dict) -> ActionResult | Exception:
	result, error = attempt(lambda: executor.do(row), raises=(BrokenActionError,))
	return error or result


def _settle(
	rows: Sequence[frappe._dict], results: dict[str, ActionResult | Exception], now: datetime
) -> None:
	done, failed, later, events = [], [], [], []
	for row in rows:
		what = results[row.name]
		if isinstance(what, ActionResult):
			is_open = what.is_open and row.waits
			status = ActionStatus.ASSIGNED if is_open else ActionStatus.DONE
			done.append((row.name, status, what.text[:LONGEST_OUTCOME], what.doctype, what.name))
			events.append(_event(row, EventType.ACTED, what.text))
			continue
		attempts, why = row.attempts + 1, _explain(what, row)
		retry = decide_retry(attempts, MOST_RETRIES, now)
		if isinstance(retry, GiveUp):
			failed.append((row.name, ActionStatus.FAILED, why, None, None))
			events.append(_event(row, EventType.ACTION_FAILED, why))
		else:
			later.append((row.name, attempts, to_site_plan(retry.at), why))
	action_rows.settle([*done, *failed], to_site(now))
	action_rows.put_off(later, to_site(now))
	enrollments = {row.name: row.enrollment for row in rows}
	errors = [(enrollments[name], why) for name, _status, why, *_made in failed]
	set_each("Drip Enrollment", ("name", "last_error"), errors)
	record_events(events, to_site(now))


def _settle_call(row: frappe._dict, outcome: ActionResult | Exception, now: datetime) -> None:
	if not action_rows.lock(row.name, ActionStatus.RUNNING):
		return  # the worker was silent for so long that another one recorded the call as in doubt
	if isinstance(outcome, WebhookDoubtError):
		_record_doubt([row], str(outcome), now)
	else:
		_settle([row], {row.name: outcome}, now)


def _run_as_owner(campaign, function: Callable[..., T], *args: Any) -> T:
	frappe.set_user(campaign.owner)
	try:
		return function(*args)
	finally:
		frappe.set_user("Administrator")


def _settle_silent(now: datetime) -> None:
	"""Record Webhooks whose worker stopped during the call: the call may have arrived, so it is not repeated."""
	why = _("The worker stopped while it called the Webhook. The call may have arrived and is not repeated.")
	silent_since = to_site(now - timedelta(seconds=webhooks.SILENT_AFTER_SECONDS))
	_record_doubt(action_rows.find_silent(silent_since), why, now)


def _record_doubt(rows: Sequence[frappe._dict], why: str, now: datetime) -> None:
	action_rows.settle([(row.name, ActionStatus.IN_DOUBT, why, None, None) for row in rows], to_site(now))
	set_each("Drip Enrollment", ("name", "last_error"), [(row.enrollment, why) for row in rows])
	record_events([_event(row, EventType.ACTION_FAILED, why) for row in rows], to_site(now))


def _explain(error: Exception, row: frappe._dict) -> str:
	if isinstance(error, frappe.PermissionError):
		owner = frappe.db.get_value("Drip Campaign", row.campaign, "owner")
		sentence = _(
			"{0} may not do this for {1} {2}. Give {0} the right, or assign another owner to the campaign."
		)
		return sentence.format(owner, _(row.recipient_type), row.recipient)
	return read_error(error)[:LONGEST_OUTCOME]


def _event(row: frappe._dict, event: EventType, detail: str) -> dict:
	return {
		"event_type": event.value,
		"detail": detail,
		"campaign": row.campaign,
		"enrollment": row.enrollment,
		"step": row.step,
		"email_address": row.email_address,
	}
