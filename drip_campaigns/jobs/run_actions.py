"""Do the actions that are due: in small batches, with the rights of the campaign's owner, effect and outcome in one transaction.

Webhooks come last and in turns, for nobody knows how long a stranger's server takes. Commits after each batch, which makes
this an entry point like the runner; called by a job after the commit of what was decided, and by every dispatch, so that a
lost job loses nothing. A worker that is killed leaves a batch as it was.
"""

import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.actions import action_rows, webhooks
from drip_campaigns.actions.context import ActionResult
from drip_campaigns.actions.errors import BrokenActionError, WebhookDoubtError
from drip_campaigns.actions.executor import ActionExecutor
from drip_campaigns.actions.queue import WORK_JOB
from drip_campaigns.campaign.auto_pause import pause_campaign
from drip_campaigns.campaign.owners import explain_unfit_owner
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.actions import MOST_RETRIES, ActionStatus
from drip_campaigns.core.model import CampaignStatus, EventType
from drip_campaigns.core.schedule.retry import GiveUp, decide_retry
from drip_campaigns.db import deadlocks
from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.db.events import record_events
from drip_campaigns.site.background_jobs import call_worker
from drip_campaigns.site.clock import to_site, to_site_plan, utc_now

BATCH_SIZE = 20  # an action may hold locks on records that people are working on
DEADLOCK_ATTEMPTS = 3
JOB_SECONDS = 240  # the next dispatch calls it again, and looks first at what is no Webhook
SAVE_POINT = "drip_action"
LONGEST_OUTCOME = 1000
_BEGIN_ANEW = (frappe.QueryDeadlockError, frappe.QueryTimeoutError)


def run_job() -> None:
	"""Do what is due now: a background job after actions were committed. What it has no time for is for the next one."""
	_run(utc_now(), JOB_SECONDS)


def run_briefly(now: datetime, seconds: float) -> None:
	"""Do what is due as far as these seconds go, and let a background job do the rest: emails do not wait for it."""
	_count, is_done = _run(now, seconds)
	if not is_done:
		call_worker(WORK_JOB, "drip-actions")


def run(now: datetime) -> int:
	"""Do every action that is due at `now` and return how many; one that fails is tried again with growing delay."""
	return _run(now, math.inf)[0]


def _run(now: datetime, seconds: float) -> tuple[int, bool]:
	"""Do what is due, and begin nothing after `seconds`; return how many were done, and whether nothing is left."""
	user, until = frappe.session.user, time.monotonic() + seconds
	try:
		_call_in_doubt(now)
		campaigns = action_rows.find_due_campaigns(to_site(now))
		turns = [_take_turns(campaigns, do, now, until) for do in (_do_batch, _call_webhook)]
	finally:
		frappe.set_user(user)
	return sum(count for count, _is_done in turns), all(is_done for _count, is_done in turns)


def _take_turns(
	campaigns: Sequence[str], do: Callable[[str, datetime], int], now: datetime, until: float
) -> tuple[int, bool]:
	"""Let one campaign after the other have a turn until nothing is left, or the time is up."""
	waiting, total = list(campaigns), 0
	while waiting and time.monotonic() < until:
		name = waiting.pop(0)
		if count := do(name, now):
			total += count
			waiting.append(name)
	return total, not waiting


def _do_batch(name: str, now: datetime) -> int:
	"""Do one batch in one transaction; if it cannot be committed, one by one, so that only the cause of it stays behind."""
	for _attempt in range(DEADLOCK_ATTEMPTS):
		try:
			return _claim_and_do(name, BATCH_SIZE, now)
		except _BEGIN_ANEW:
			frappe.db.rollback()
			deadlocks.wait_after_deadlock()
		except BrokenActionError as error:
			_hold(name, error, now)
			return 0
		except Exception:  # noqa: BLE001 - narrowed down to the one action that cannot be done
			frappe.db.rollback()
			return _do_singly(name, now)
	return 0


def _do_singly(name: str, now: datetime) -> int:
	done = 0
	while done < BATCH_SIZE:
		try:
			count = _claim_and_do(name, 1, now)
		except _BEGIN_ANEW:
			frappe.db.rollback()
			return done
		except BrokenActionError as error:
			_hold(name, error, now)
			return 0
		except Exception as error:  # noqa: BLE001 - recorded on the action, which is tried again later
			frappe.db.rollback()
			_put_off_first(name, error, now)
			count = 1
		if not count:
			break
		done += count
	return done


def _claim_and_do(name: str, limit: int, now: datetime) -> int:
	campaign = _claimable(name)
	rows = action_rows.claim_due(name, to_site(now), limit, webhooks=False) if campaign else []
	if rows:
		_settle(rows, _do_all(campaign, rows, now), now)
	frappe.db.commit()
	return len(rows)


def _claimable(name: str):
	"""Return the campaign if its actions may be done now. Begins a transaction: what is read is not older than the locks."""
	frappe.set_user("Administrator")
	frappe.db.commit()
	campaign = frappe.get_doc("Drip Campaign", name)
	if campaign.status == CampaignStatus.PAUSED.value or explain_unfit_owner(campaign):
		return None
	return campaign


def _do_all(campaign, rows: Sequence[frappe._dict], now: datetime) -> dict[str, ActionResult | Exception]:
	"""Do each action in its own savepoint; return what became of it by its name."""
	crew = ActionExecutor(campaign, rows, now)
	became: dict[str, ActionResult | Exception] = {}
	frappe.set_user(campaign.owner)
	try:
		for row in rows:
			frappe.db.savepoint(SAVE_POINT)
			try:
				became[row.name] = crew.do(row)
			except (*_BEGIN_ANEW, BrokenActionError):
				raise
			except Exception as error:  # noqa: BLE001 - it stands on its action, and stops nobody else
				frappe.db.rollback(save_point=SAVE_POINT)
				frappe.clear_messages()
				became[row.name] = error
	finally:
		frappe.set_user("Administrator")
	return became


def _settle(rows: Sequence[frappe._dict], became: dict[str, ActionResult | Exception], now: datetime) -> None:
	done, failed, later, events = [], [], [], []
	for row in rows:
		what = became[row.name]
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


def _put_off_first(name: str, error: Exception, now: datetime) -> None:
	for row in action_rows.claim_due(name, to_site(now), 1, webhooks=False):
		_settle([row], {row.name: error}, now)
	frappe.db.commit()


def _hold(name: str, error: BrokenActionError, now: datetime) -> None:
	"""Nobody is counted a failure for what is wrong with the campaign: it waits, and its owner is told."""
	frappe.db.rollback()
	frappe.set_user("Administrator")
	campaign = frappe.get_doc("Drip Campaign", name)
	if campaign.status == CampaignStatus.ACTIVE.value:
		pause_campaign(campaign, str(error), now)
	frappe.db.commit()


def _call_webhook(name: str, now: datetime) -> int:
	"""Call one Webhook: noted before, called while no transaction is open, settled after. Return 0 when none is due."""
	campaign = _claimable(name)
	rows = action_rows.claim_due(name, to_site(now), 1, webhooks=True) if campaign else []
	if not rows:
		frappe.db.commit()
		return 0
	try:
		call = _as_owner(campaign, lambda: ActionExecutor(campaign, rows, now).prepare_call(rows[0]))
	except BrokenActionError as error:
		_hold(name, error, now)
		return 0
	except Exception as error:  # noqa: BLE001 - recorded on the action, which is tried again later
		frappe.db.rollback()
		_put_off_webhook(name, error, now)
		return 1
	if isinstance(call, ActionResult):
		_settle(rows, {rows[0].name: call}, now)
		frappe.db.commit()
		return 1
	set_each(
		"Drip Action",
		("name", "modified", "status"),
		[(rows[0].name, to_site(now), ActionStatus.TRYING.value)],
	)
	frappe.db.commit()
	outcome = webhooks.send(call)
	frappe.db.commit()
	if action_rows.lock(
		rows[0].name, ActionStatus.TRYING
	):  # else it has slept for so long that it was called in doubt
		_settle_call(rows[0], outcome, now)
	frappe.db.commit()
	return 1


def _settle_call(row: frappe._dict, outcome: ActionResult | Exception, now: datetime) -> None:
	if isinstance(outcome, WebhookDoubtError):
		_doubt([row], str(outcome), now)
	else:
		_settle([row], {row.name: outcome}, now)


def _put_off_webhook(name: str, error: Exception, now: datetime) -> None:
	for row in action_rows.claim_due(name, to_site(now), 1, webhooks=True):
		_settle([row], {row.name: error}, now)
	frappe.db.commit()


def _as_owner(campaign, do):
	frappe.set_user(campaign.owner)
	try:
		return do()
	finally:
		frappe.set_user("Administrator")


def _call_in_doubt(now: datetime) -> None:
	"""A worker was killed while it called a Webhook: nobody knows whether it arrived, and it is not called again."""
	frappe.db.commit()
	why = _("The worker stopped while it called the Webhook. It may have arrived; it is not called again.")
	_doubt(action_rows.find_silent(to_site(now - timedelta(seconds=webhooks.SILENT_AFTER_SECONDS))), why, now)
	frappe.db.commit()


def _doubt(rows: Sequence[frappe._dict], why: str, now: datetime) -> None:
	action_rows.settle([(row.name, ActionStatus.IN_DOUBT, why, None, None) for row in rows], to_site(now))
	set_each("Drip Enrollment", ("name", "last_error"), [(row.enrollment, why) for row in rows])
	record_events([_event(row, EventType.ACTION_FAILED, why) for row in rows], to_site(now))


def _explain(error: Exception, row: frappe._dict) -> str:
	if isinstance(error, frappe.PermissionError):
		owner = frappe.db.get_value("Drip Campaign", row.campaign, "owner")
		sentence = _(
			"{0} has no right to do this for {1} {2}. Give {0} the right, or let somebody else take the campaign over."
		)
		return sentence.format(owner, _(row.recipient_type), row.recipient)
	text = frappe.utils.strip_html(str(error))
	plain = isinstance(error, DripError | frappe.ValidationError) and text
	return (text if plain else f"{type(error).__name__}: {text}")[:LONGEST_OUTCOME]


def _event(row: frappe._dict, event: EventType, detail: str) -> dict:
	return {
		"event_type": event.value,
		"detail": detail,
		"campaign": row.campaign,
		"enrollment": row.enrollment,
		"step": row.step,
		"email_address": row.email_address,
	}
