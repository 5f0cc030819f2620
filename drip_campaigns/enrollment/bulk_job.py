"""The background job of a Drip Bulk Enrollment: page by page, each committed, so that it can be left, stopped and resumed.

Commits after each page, which makes this an entry point like the runner.
"""

import time
from datetime import datetime
from typing import Any

import frappe
from frappe.utils import getdate

from drip_campaigns.core.model import RunStatus
from drip_campaigns.enrollment.audience import Audience
from drip_campaigns.enrollment.bulk import BATCH_SIZE, BulkResult, enroll_many
from drip_campaigns.enrollment.rules import check_campaign, start_moment
from drip_campaigns.site_clock import site_date, utc_now
from drip_campaigns.triggers.existing import ExistingAudience

DOCTYPE = "Drip Bulk Enrollment"
RACE_ATTEMPTS = 3
JOB_BUDGET_SECONDS = 1200  # Frappe gives a job of the long queue 1500; a longer run is handed to the next job
REALTIME_EVENT = "drip_bulk_enrollment"


def enqueue(name: str) -> None:
	"""Let a worker run it, once the present transaction is committed; a run under way is not started twice."""
	frappe.enqueue(
		"drip_campaigns.enrollment.bulk_job.run",
		queue="long",
		name=name,
		job_id=f"drip-bulk-{name}",
		deduplicate=True,
		enqueue_after_commit=True,
	)


def check(campaign: str, start_date: Any) -> None:
	"""Raise EnrollmentRefusedError if nobody could be enrolled so."""
	document = frappe.get_doc("Drip Campaign", campaign)
	check_campaign(document)
	start_moment(getdate(start_date), document, None, utc_now())


def run(name: str) -> None:
	"""Enroll the audience of a run from where it stands to its end, with the rights of whoever made it."""
	document = frappe.get_doc(DOCTYPE, name)
	if document.status not in (RunStatus.QUEUED.value, RunStatus.RUNNING.value):
		return
	user = frappe.session.user
	if user != document.owner:
		frappe.set_user(document.owner)
	try:
		_run_pages(document)
	except Exception as error:  # noqa: BLE001 - recorded on the run, which can be resumed
		frappe.db.rollback()
		document.db_set({"status": RunStatus.FAILED.value, "error": f"{type(error).__name__}: {error}"})
		frappe.db.commit()
	finally:
		if user != document.owner:
			frappe.set_user(user)


def go_on_waiting(now: datetime) -> None:
	"""Let the runs whose quota of an earlier day is used up go on: the daily job's."""
	filters = {"status": RunStatus.WAITING.value, "counted_on": ["<", site_date(now)]}
	for name in frappe.get_all(DOCTYPE, filters=filters, pluck="name"):
		frappe.db.set_value(DOCTYPE, name, "status", RunStatus.QUEUED.value)
		enqueue(name)


def _run_pages(document) -> None:
	started = time.monotonic()
	document.db_set("status", RunStatus.RUNNING.value, commit=True)
	while names := _next_page(document):
		_enroll_page(document, names)
		if frappe.db.get_value(DOCTYPE, document.name, "status") == RunStatus.CANCELLED.value:
			return
		if time.monotonic() - started > JOB_BUDGET_SECONDS:
			frappe.enqueue("drip_campaigns.enrollment.bulk_job.run", queue="long", name=document.name)
			return
	is_done = document.processed >= document.total or not audience_of(document).page(
		document.last_recipient, 1
	)
	status = RunStatus.COMPLETED if is_done else RunStatus.WAITING
	document.db_set("status", status.value, notify=True, commit=True)
	_tell(document)


def _enroll_page(document, names: list[str]) -> None:
	"""Enroll one page in one transaction; again, if somebody else enrolled one of its people meanwhile."""
	for attempt in range(RACE_ATTEMPTS):
		try:
			run = enroll_many(
				document.campaign,
				document.recipient_type,
				names,
				utc_now(),
				start_date=max(getdate(document.start_date), site_date(utc_now())),
				sender=document.sender,
				require_confirmation=bool(document.require_confirmation),
			)
			for result in run:
				_note_progress(document, names, result)
			frappe.db.commit()
			return
		except Exception as error:
			frappe.db.rollback()  # the next attempt sees what the other has committed
			if attempt + 1 == RACE_ATTEMPTS or not frappe.db.is_unique_key_violation(error):
				raise


def _next_page(document) -> list[str]:
	limit = min(BATCH_SIZE, _left_today(document, utc_now()))
	return audience_of(document).page(document.last_recipient, limit) if limit else []


def audience_of(document) -> Audience | ExistingAudience:
	"""Return whom a run is about: what its filters match, or who met a trigger before."""
	if document.campaign_trigger:
		return ExistingAudience(document.campaign, document.campaign_trigger, document.recipient_type)
	return Audience(document.recipient_type, document.recipient_filters)


def _left_today(document, now: datetime) -> int:
	"""Return how many more may be enrolled today; a page of so many cannot exceed it."""
	if not document.per_day:
		return BATCH_SIZE
	today = site_date(now)
	if not document.counted_on or getdate(document.counted_on) != today:
		document.db_set({"counted_on": today, "enrolled_today": 0})
	return max(document.per_day - document.enrolled_today, 0)


def _note_progress(document, names: list[str], result: BulkResult) -> None:
	reasons = _read_reasons(document.reasons)
	for reason, count in result.refused.items():
		reasons[reason] = reasons.get(reason, 0) + count
	document.db_set(
		{
			"processed": document.processed + len(names),
			"enrolled": document.enrolled + result.enrolled + result.resumed,
			"enrolled_today": document.enrolled_today + result.enrolled + result.resumed,
			"refused": document.refused + sum(result.refused.values()),
			"reasons": "\n".join(f"{count} × {reason}" for reason, count in sorted(reasons.items())),
			"last_recipient": names[-1],
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
