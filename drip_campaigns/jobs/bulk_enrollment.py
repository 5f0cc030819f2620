"""The background job of a Drip Bulk Enrollment: page by page, each committed, so that it can be left, stopped and resumed.

Commits after each page, which makes this an entry point like the runner.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import escape_html, getdate

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import RunStatus
from drip_campaigns.enrollment.campaign_checks import check_campaign, find_start
from drip_campaigns.enrollment.enroll import BATCH_SIZE, BulkResult
from drip_campaigns.jobs.bulk_enrollment_sources import make_source
from drip_campaigns.site.clock import site_date, to_site, utc_now
from drip_campaigns.site.notify import notify

DOCTYPE = "Drip Bulk Enrollment"
RACE_ATTEMPTS = 3
JOB_BUDGET_SECONDS = 1200  # Frappe gives a job of the long queue 1500; a longer run is handed to the next job
LOST_AFTER = timedelta(minutes=30)  # a run that nobody has touched for so long has lost its worker
WAITED_FOR = 200  # records: who enrolls no more than these sees at once what comes of it
REALTIME_EVENT = "drip_bulk_enrollment"
WITH_A_JOB = (RunStatus.QUEUED.value, RunStatus.RUNNING.value)
GOING_ON = (*WITH_A_JOB, RunStatus.WAITING.value)


class RunStatusError(DripError):
	"""This cannot be done with a run in this status."""


def enqueue(name: str) -> None:
	"""Let a worker run it, once the present transaction is committed; a run under way is not started twice."""
	frappe.enqueue(
		"drip_campaigns.jobs.bulk_enrollment.run",
		queue="long",
		name=name,
		job_id=f"drip-bulk-{name}",
		deduplicate=True,
		enqueue_after_commit=True,
	)


def cancel(name: str) -> None:
	"""Stop a run that is under way, or waits, after the page it is at; who is enrolled stays enrolled."""
	run = frappe.get_doc(DOCTYPE, name, for_update=True)
	if run.status == RunStatus.CANCELLED.value:
		return
	if run.status not in GOING_ON:
		message = _("Run {0} is {1}, so there is nothing to cancel.")
		raise RunStatusError(message.format(name, _(run.status)))
	run.db_set("status", RunStatus.CANCELLED.value)


def resume(name: str) -> None:
	"""Let a run that was cancelled or has failed go on where it stopped."""
	run = frappe.get_doc(DOCTYPE, name, for_update=True)
	if run.status in GOING_ON:
		return
	if run.status == RunStatus.COMPLETED.value:
		raise RunStatusError(_("Run {0} is completed. Enroll again to start a new one.").format(name))
	run.db_set({"status": RunStatus.QUEUED.value, "error": None})
	enqueue(name)


def check(campaign: str, start_date: Any) -> None:
	"""Raise EnrollmentRefusedError if nobody could be enrolled so."""
	document = frappe.get_doc("Drip Campaign", campaign)
	check_campaign(document)
	find_start(getdate(start_date), document, None, utc_now())


def run(name: str) -> None:
	"""Enroll the audience of a run from where it stands to its end, with the rights of whoever made it."""
	document = frappe.get_doc(DOCTYPE, name)
	if document.status not in WITH_A_JOB:
		return
	user = frappe.session.user
	if user != document.owner:
		frappe.set_user(document.owner)
	try:
		_run_pages(document)
	except Exception as error:  # noqa: BLE001 - recorded on the run, which can be resumed
		frappe.db.rollback()
		text = f"{type(error).__name__}: {error}"
		document.db_set({"status": RunStatus.FAILED.value, "error": text})
		_tell_end(document, _("It has stopped: {0} Mend that, and press Resume on it.").format(text))
		frappe.db.commit()
	finally:
		if user != document.owner:
			frappe.set_user(user)


def continue_waiting(now: datetime) -> None:
	"""Let the runs whose quota of an earlier day is used up go on: the daily job's."""
	filters = {"status": RunStatus.WAITING.value, "counted_on": ["<", site_date(now)]}
	for name in frappe.get_all(DOCTYPE, filters=filters, pluck="name"):
		frappe.db.set_value(DOCTYPE, name, "status", RunStatus.QUEUED.value)
		enqueue(name)


def resume_orphaned() -> None:
	"""Let the runs go on whose worker was killed: called every quarter of an hour."""
	lost = {"status": ["in", WITH_A_JOB], "modified": ["<", to_site(utc_now() - LOST_AFTER)]}
	for name in frappe.get_all(DOCTYPE, filters=lost, pluck="name"):
		enqueue(name)


def _run_pages(document) -> None:
	started = time.monotonic()
	document.db_set("status", RunStatus.RUNNING.value, commit=True)
	source = make_source(document)
	while page := source.next_page(_left_today(document, utc_now())):
		_enroll_page(document, source, page)
		if frappe.db.get_value(DOCTYPE, document.name, "status") == RunStatus.CANCELLED.value:
			return
		if time.monotonic() - started > JOB_BUDGET_SECONDS:
			frappe.enqueue("drip_campaigns.jobs.bulk_enrollment.run", queue="long", name=document.name)
			return
	_finish(document, RunStatus.WAITING if source.next_page(1) else RunStatus.COMPLETED)


def _finish(document, status: RunStatus) -> None:
	"""Note that the run is done, for today or for good; one that was cancelled at its last page stays cancelled."""
	if frappe.db.get_value(DOCTYPE, document.name, "status", for_update=True) != RunStatus.CANCELLED.value:
		document.db_set("status", status.value, notify=True)
		if status is RunStatus.COMPLETED and document.total > WAITED_FOR:
			_tell_end(document, _("It is done."))
	frappe.db.commit()
	_tell(document)


def _tell_end(document, sentence: str) -> None:
	"""Tell who has started a run, and may have left it, what came of it."""
	subject = _("Enrolling in campaign {0}: {1} of {2} enrolled, {3} not. {4}").format(
		frappe.bold(escape_html(document.campaign)),
		document.enrolled,
		document.total,
		document.refused,
		escape_html(sentence),
	)
	name, owner = document.name, document.owner
	frappe.db.after_commit.add(lambda: notify([owner], subject, DOCTYPE, name))


def _enroll_page(document, source, page: Sequence) -> None:
	"""Enroll one page in one transaction; again, if somebody else enrolled one of its people meanwhile."""
	for attempt in range(RACE_ATTEMPTS):
		try:
			result, remembered = source.enroll(page, utc_now())
			_note_progress(document, len(page), result, remembered)
			frappe.db.commit()
			return
		except Exception as error:
			frappe.db.rollback()  # the next attempt sees what the other has committed
			is_race = isinstance(error, frappe.QueryDeadlockError | frappe.QueryTimeoutError)
			if attempt + 1 == RACE_ATTEMPTS or not (is_race or frappe.db.is_unique_key_violation(error)):
				raise


def _left_today(document, now: datetime) -> int:
	"""Return how many more may be enrolled today; a page of so many cannot exceed it."""
	if not document.per_day:
		return BATCH_SIZE
	today = site_date(now)
	if not document.counted_on or getdate(document.counted_on) != today:
		document.db_set({"counted_on": today, "enrolled_today": 0})
	return min(max(document.per_day - document.enrolled_today, 0), BATCH_SIZE)


def _note_progress(document, looked_at: int, result: BulkResult, remembered: dict[str, Any]) -> None:
	reasons = _read_reasons(document.reasons)
	for reason, count in result.refused.items():
		reasons[reason] = reasons.get(reason, 0) + count
	document.db_set(
		{
			"processed": document.processed + looked_at,
			"enrolled": document.enrolled + result.enrolled + result.resumed,
			"enrolled_today": document.enrolled_today + result.enrolled + result.resumed,
			"refused": document.refused + sum(result.refused.values()),
			"reasons": "\n".join(f"{count} × {reason}" for reason, count in sorted(reasons.items())),
			**remembered,
		}
	)
	_tell(document)


def _read_reasons(text: str | None) -> dict[str, int]:
	lines = [line.partition(" × ") for line in (text or "").splitlines()]
	return {reason: int(count) for count, _sign, reason in lines}


def _tell(document) -> None:
	"""Let an open form draw its progress bar; one without realtime asks by itself."""
	progress = {"name": document.name, "processed": document.processed, "total": document.total}
	frappe.publish_realtime(
		REALTIME_EVENT,
		progress,
		doctype=DOCTYPE,
		docname=document.name,
		user=document.owner,
		after_commit=True,
	)
