"""The background job of a Drip Bulk Enrollment: page by page, so that a run can be canceled and resumed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import getdate

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import RunStatus
from drip_campaigns.db.single_writes import write_fields, write_values
from drip_campaigns.enrollment.campaign_checks import check_campaign, find_start
from drip_campaigns.enrollment.enroll import BATCH_SIZE
from drip_campaigns.enrollment.refusals import EnrollmentRefusedError, Refusal, VerbResult
from drip_campaigns.jobs.batches import BULK_ENROLLMENT, BatchJob, BatchState, run_batches
from drip_campaigns.jobs.bulk_enrollment_sources import make_source
from drip_campaigns.site.clock import site_date, to_site, utc_now
from drip_campaigns.site.error_log import log_failure
from drip_campaigns.site.messages import as_html, bold, read_error
from drip_campaigns.site.notify import notify

DOCTYPE = "Drip Bulk Enrollment"
LOST_AFTER = timedelta(minutes=30)  # a run without progress for so long has lost its worker
NOTIFY_ABOVE = 200  # records: the user waits for the result of a smaller run
REALTIME_EVENT = "drip_bulk_enrollment"
WITH_A_JOB = (RunStatus.QUEUED.value, RunStatus.RUNNING.value)
UNFINISHED = (*WITH_A_JOB, RunStatus.WAITING.value)


class RunStatusError(DripError):
	"""This cannot be done with a run in this status."""


class NothingToReadError(DripError):
	"""The file of a run has no rows."""


def insert_run(campaign: str, recipient_type: str, start_date: Any = None, **fields: Any):
	"""Insert a run that starts today, or on another day; the caller runs or enqueues it."""
	run = frappe.get_doc(doctype=DOCTYPE, campaign=campaign, recipient_type=recipient_type, **fields)
	run.start_date = start_date or site_date(utc_now())
	run.flags.runs_at_once = True
	return run.insert()


def enqueue(name: str) -> None:
	"""Enqueue a run after the commit; a run that is queued or running is not enqueued again."""
	frappe.enqueue(
		"drip_campaigns.jobs.bulk_enrollment.run",
		queue="long",
		name=name,
		job_id=f"drip-bulk-{name}",
		deduplicate=True,
		enqueue_after_commit=True,
	)


def cancel(name: str) -> None:
	"""Cancel a run that is running or waiting, after its current page. People who are enrolled stay enrolled."""
	run = frappe.get_doc(DOCTYPE, name, for_update=True)
	if run.status == RunStatus.CANCELLED.value:
		return
	if run.status not in UNFINISHED:
		message = _("Run {0} is {1} and can't be canceled.")
		raise RunStatusError(message.format(name, _(run.status)))
	write_fields(run, {"status": RunStatus.CANCELLED.value})


def resume(name: str) -> None:
	"""Resume a run that was canceled or failed, where it stopped."""
	run = frappe.get_doc(DOCTYPE, name, for_update=True)
	if run.status in UNFINISHED:
		return
	if run.status == RunStatus.COMPLETED.value:
		raise RunStatusError(_("Run {0} is completed. Enroll again to start a new one.").format(name))
	write_fields(run, {"status": RunStatus.QUEUED.value, "error": None})
	enqueue(name)


def check(campaign: str, start_date: Any) -> None:
	"""Raise EnrollmentRefusedError if the campaign or the start date makes every enrollment impossible."""
	document = frappe.get_doc("Drip Campaign", campaign)
	check_campaign(document)
	find_start(getdate(start_date), document, None, utc_now())


def run(name: str) -> None:
	"""Run the rest of a run, with the rights of its owner: a background job."""
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
		text = read_error(error) if isinstance(error, DripError) else f"{type(error).__name__}: {error}"
		write_fields(document, {"status": RunStatus.FAILED.value, "error": text})
		_notify_owner(
			document, _("The run failed: {0} Fix the cause, then click Resume on the run.").format(text)
		)
		frappe.db.commit()
	finally:
		if user != document.owner:
			frappe.set_user(user)


def continue_waiting(now: datetime) -> None:
	"""Continue the runs that used up the quota of an earlier day: the daily job calls it."""
	filters = {"status": RunStatus.WAITING.value, "counted_on": ["<", site_date(now)]}
	for name in frappe.get_all(DOCTYPE, filters=filters, pluck="name"):
		write_values(DOCTYPE, name, {"status": RunStatus.QUEUED.value})
		enqueue(name)


def resume_orphaned() -> None:
	"""Resume the runs whose worker was killed. The scheduler calls it every quarter of an hour."""
	lost = {"status": ["in", WITH_A_JOB], "modified": ["<", to_site(utc_now() - LOST_AFTER)]}
	for name in frappe.get_all(DOCTYPE, filters=lost, pluck="name"):
		enqueue(name)


class EnrollmentBatch(BatchJob):
	"""The next page of a run."""

	policy = BULK_ENROLLMENT
	pauses_on = (
		EnrollmentRefusedError,
		frappe.PermissionError,
	)  # of the campaign or the user, not of a record

	def __init__(self, document) -> None:
		self.document, self.source = document, make_source(document)

	@property
	def size(self) -> int:
		"""The number of people that may still be enrolled today, up to a page."""
		document = self.document
		if not document.per_day:
			return BATCH_SIZE
		today = site_date(utc_now())
		if not document.counted_on or getdate(document.counted_on) != today:
			write_fields(document, {"counted_on": today, "enrolled_today": 0})
		return min(max(document.per_day - document.enrolled_today, 0), BATCH_SIZE)

	def claim(self, limit: int) -> Sequence[Any]:
		"""Return the next page; nothing if the run was canceled."""
		self.document.reload()
		is_running = self.document.status == RunStatus.RUNNING.value
		return self.source.next_page(limit) if is_running else ()

	def do(self, rows: Sequence[Any]) -> int:
		"""Enroll a page and record the progress; return the number of people."""
		result, state = self.source.enroll(rows, utc_now())
		_record_progress(self.document, len(rows), result, state)
		return len(rows)

	def put_off(self, row: Any, error: Exception) -> None:
		"""Skip a record or row that fails alone, with the reason; the run continues."""
		reason = read_error(error)
		log_failure(_("Drip Campaigns: a record could not be enrolled: {0}").format(reason), reason)
		result = VerbResult(refusals={str(row): Refusal("error", reason)})
		_record_progress(self.document, 1, result, self.source.skip(row, reason))


def _run_pages(document) -> None:
	write_fields(document, {"status": RunStatus.RUNNING.value}, commit=True)
	job = EnrollmentBatch(document)
	if reason := job.source.explain_nothing():
		raise NothingToReadError(reason)
	_count, state = run_batches(job)
	if state is BatchState.DONE:
		frappe.enqueue("drip_campaigns.jobs.bulk_enrollment.run", queue="long", name=document.name)
	elif document.status == RunStatus.RUNNING.value:
		_finish(document, RunStatus.WAITING if job.source.next_page(1) else RunStatus.COMPLETED)


def _finish(document, status: RunStatus) -> None:
	"""Record that the run is completed, or done for today. A run that was canceled at its last page stays canceled."""
	if frappe.db.get_value(DOCTYPE, document.name, "status", for_update=True) != RunStatus.CANCELLED.value:
		write_fields(document, {"status": status.value}, notify=True)
		if status is RunStatus.COMPLETED and document.total > NOTIFY_ABOVE:
			_notify_owner(document, _("The run is completed."))
	frappe.db.commit()
	_show_progress(document)


def _notify_owner(document, sentence: str) -> None:
	"""Notify the owner of the run, who may have left the form, of its result."""
	subject = as_html(
		_("Enrolling in campaign {0}: {1} of {2} enrolled, {3} not. {4}"),
		bold(document.campaign),
		document.enrolled,
		document.total,
		document.refused,
		sentence,
	)
	name, owner = document.name, document.owner
	frappe.db.after_commit.add(lambda: notify([owner], subject, DOCTYPE, name))


def _record_progress(document, looked_at: int, result: VerbResult, remembered: dict[str, Any]) -> None:
	reasons = _read_reasons(document.reasons)
	for reason, count in result.refused.items():
		reasons[reason] = reasons.get(reason, 0) + count
	write_fields(
		document,
		{
			"processed": document.processed + looked_at,
			"enrolled": document.enrolled + result.done,
			"enrolled_today": document.enrolled_today + result.done,
			"refused": document.refused + sum(result.refused.values()),
			"reasons": "\n".join(f"{count} × {reason}" for reason, count in sorted(reasons.items())),
			**remembered,
		},
	)
	_show_progress(document)


def _read_reasons(text: str | None) -> dict[str, int]:
	lines = [line.partition(" × ") for line in (text or "").splitlines()]
	return {reason: int(count) for count, _sign, reason in lines}


def _show_progress(document) -> None:
	"""Send the progress to an open form; a form without realtime asks the server."""
	progress = {"name": document.name, "processed": document.processed, "total": document.total}
	frappe.publish_realtime(
		REALTIME_EVENT,
		progress,
		doctype=DOCTYPE,
		docname=document.name,
		user=document.owner,
		after_commit=True,
	)
