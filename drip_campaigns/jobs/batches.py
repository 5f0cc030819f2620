"""The one runner of work in batches, and the policy of every job that uses it.

A batch is one transaction: claim rows, do the work, commit. The claim opens the transaction, so that everything read
after it is at least as new as its locks. What happens to a batch that fails:

	what fails                              what the runner does
	a conflict with another worker          repeats the batch; db/deadlocks.py says how often, and with what pause
	a deadlock or lock timeout that stays   leaves the rows as they are and reports BUSY: they are due in the next run
	an error of the job's `pauses_on`       calls `pause(error)`: something is wrong with the campaign, not with a row
	any other error, policy `one_by_one`    repeats row by row; calls `put_off(row, error)` for each row that fails
	any other error, otherwise              raises it: the job records it on its run, which can be resumed
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, NamedTuple, TypeVar

import frappe
from frappe import _

from drip_campaigns.db import deadlocks
from drip_campaigns.site.error_log import log_failure

T = TypeVar("T")


@dataclass(frozen=True)
class BatchPolicy:
	"""How the batches of one job run: row by row after an error or not, and how many seconds one job may use."""

	one_by_one: bool
	seconds: float


# Frappe stops a scheduled job after 300 seconds and a job of the queue "long" after 1500.
#                               one by one  seconds
DISPATCH = BatchPolicy(True, 200)
ACTIONS = BatchPolicy(True, 240)
TRIGGERS = BatchPolicy(True, 1200)
BULK_ACTIONS = BatchPolicy(True, 1200)
BULK_ENROLLMENT = BatchPolicy(True, 1200)
LIST_REFRESH = BatchPolicy(False, 1200)
DELIVERY = BatchPolicy(False, 1200)
COUNTING = BatchPolicy(False, 1200)


class BatchState(Enum):
	"""How a batch ended."""

	DONE = "done"  # more rows may be due
	EMPTY = "empty"  # no row was due
	BUSY = "busy"  # other workers hold the rows
	PAUSED = "paused"  # the job called `pause`


class BatchResult(NamedTuple):
	"""How a batch ended, and the number that `do` returned."""

	state: BatchState
	count: int = 0


class BatchJob:
	"""What the runner needs from a job. A row is a record with a `name`, or only a name."""

	policy: BatchPolicy
	pauses_on: tuple[type[Exception], ...] = ()

	@property
	def size(self) -> int:
		"""The largest number of rows in one batch."""
		raise NotImplementedError

	def claim(self, limit: int) -> Sequence[Any]:
		"""Lock and return up to `limit` rows that are due; nothing if none is left."""
		raise NotImplementedError

	def do(self, rows: Sequence[Any]) -> int | None:
		"""Do the work of the claimed rows and return a count; None if nothing may be done."""
		raise NotImplementedError

	def put_off(self, row: Any, error: Exception) -> None:
		"""Record `error` on a row that failed alone, and make the row due later."""
		raise error

	def pause(self, error: Exception) -> None:
		"""Stop the campaign because of `error`."""
		raise error


def run_transaction(work: Callable[[], T], *, is_new: bool = False) -> T:
	"""Run `work` as one transaction, commit it, and return its result; repeat it after a conflict.

	Ends the open transaction first. Set `is_new` where the caller has just committed. Rolls back whatever `work` raises.
	"""
	attempt = 1
	if not is_new:
		frappe.db.commit()
	while True:
		try:
			result = work()
			frappe.db.commit()
			return result
		except Exception as error:
			frappe.db.rollback()
			if attempt >= deadlocks.count_attempts(error):
				raise
		deadlocks.pause_before_retry()
		attempt += 1


def commit_each(pieces: Iterable[Any]) -> None:
	"""Run a generator that does one piece of work after the other, each as one transaction."""
	frappe.db.commit()
	for _piece in pieces:
		frappe.db.commit()


def run_batch(job: BatchJob) -> BatchResult:
	"""Run one batch of `job`, or its rows one by one if it fails, and return how it ended."""
	try:
		try:
			return _run_claim(job, job.size)
		except job.pauses_on:
			raise
		except Exception as error:
			if not job.policy.one_by_one:
				raise
			if deadlocks.is_lock_conflict(error):
				return BatchResult(BatchState.BUSY)
		return _run_one_by_one(job)
	except job.pauses_on as error:
		run_transaction(partial(job.pause, error), is_new=True)
		return BatchResult(BatchState.PAUSED)


def run_batches(job: BatchJob) -> tuple[int, BatchState]:
	"""Run batches of `job` while there are rows and its time lasts; return the sum of the counts and the last state.

	The state is DONE if the time is up: more rows may be due.
	"""
	total, until = 0, time.monotonic() + job.policy.seconds
	while True:
		result = run_batch(job)
		total += result.count
		if result.state is not BatchState.DONE or time.monotonic() > until:
			return total, result.state


def _run_claim(job: BatchJob, limit: int, claimed: list[Any] | None = None) -> BatchResult:
	"""Run one batch as one transaction; put the rows into `claimed`, for the caller to see which ones failed."""

	def claim_and_do() -> BatchResult:
		rows = job.claim(limit)
		if claimed is not None:
			claimed[:] = rows
		count = job.do(rows) if rows else None
		return BatchResult(BatchState.EMPTY) if count is None else BatchResult(BatchState.DONE, count)

	return run_transaction(claim_and_do)


def _run_one_by_one(job: BatchJob) -> BatchResult:
	total, claimed = 0, []
	for number in range(job.size):
		try:
			result = _run_claim(job, 1, claimed)
		except job.pauses_on:
			raise
		except Exception as error:
			if deadlocks.is_lock_conflict(error):
				return BatchResult(BatchState.DONE if number else BatchState.BUSY, total)
			if not claimed:
				raise  # the claim failed, not a row
			run_transaction(partial(_put_off, job, claimed[0], error), is_new=True)
			continue
		if result.state is BatchState.EMPTY:
			return BatchResult(BatchState.DONE if number else BatchState.EMPTY, total)
		total += result.count
	return BatchResult(BatchState.DONE, total)


def _put_off(job: BatchJob, failed: Any, error: Exception) -> None:
	for row in job.claim(1):  # the rollback released its lock, so another worker may have claimed it
		if _name_of(row) == _name_of(failed):
			job.put_off(row, error)


def _name_of(row: Any) -> str:
	return row if isinstance(row, str) else row.name


def run_isolated(piece: Callable[[], Any], campaign: str = "") -> Any:
	"""Run a piece of a run that others do not depend on; log its error, so that the rest of the run continues.

	The next run repeats a piece that failed. `campaign` names the campaign that the piece is about, for the log.
	"""
	try:
		return piece()
	except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
		frappe.db.rollback()  # another worker holds the rows: the next run repeats it
	except Exception:  # noqa: BLE001 - logged; without this, one bad row would stop the emails of everyone
		frappe.db.rollback()
		about = _("the work for campaign {0}").format(campaign) if campaign else _("a part of a run")
		log_failure(_("Drip Campaigns: {0} failed. The rest of the run continued.").format(about))
		frappe.db.commit()
	return None
