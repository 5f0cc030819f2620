"""The batch runner with a fake job: what it repeats, what it puts off, what it leaves for the next run, and when it stops."""

from collections.abc import Sequence

import frappe
import pytest

from drip_campaigns.db import deadlocks
from drip_campaigns.jobs import batches
from drip_campaigns.jobs.batches import BatchJob, BatchPolicy, BatchState, run_batch, run_batches

ONE_BY_ONE = BatchPolicy(True, 60)
AS_A_WHOLE = BatchPolicy(False, 60)
DEADLOCK = frappe.QueryDeadlockError("1213 Deadlock found when trying to get lock")
TIMEOUT = frappe.QueryTimeoutError("1205 Lock wait timeout exceeded")


class TextError(Exception):
	"""Something is wrong with the campaign."""


class Job(BatchJob):
	"""Handles rows of a list; `errors` are raised by the attempts in turn, `bad` rows fail each time."""

	pauses_on = (TextError,)
	size = 3

	def __init__(self, rows: str, policy: BatchPolicy = ONE_BY_ONE, errors: Sequence = (), bad: str = ""):
		self.due, self.policy, self.errors, self.bad = list(rows), policy, list(errors), bad
		self.attempts: list[str] = []
		self.done: list[str] = []
		self.put_off_rows: list[str] = []
		self.paused = ""

	def claim(self, limit: int) -> list[str]:
		return self.due[:limit]

	def do(self, rows: list[str]) -> int:
		self.attempts.append("".join(rows))
		if self.errors and (error := self.errors.pop(0)):
			raise error
		if set(rows) & set(self.bad):
			raise ValueError("bad row")
		frappe.db.after_commit.add(lambda: self._finish(rows))
		return len(rows)

	def put_off(self, row: str, error: Exception) -> None:
		self.put_off_rows.append(f"{row}: {error}")
		self.due.remove(row)

	def pause(self, error: Exception) -> None:
		self.paused = str(error)

	def _finish(self, rows: list[str]) -> None:
		self.done += rows
		self.due = [row for row in self.due if row not in rows]


@pytest.fixture(autouse=True)
def pauses(site, monkeypatch):
	"""How often the runner waited before another attempt."""
	waited = []
	monkeypatch.setattr(deadlocks, "pause_before_retry", lambda: waited.append(1))
	return waited


def duplicate() -> Exception:
	"""Return the error of an insert whose unique key exists already."""
	role = frappe.db.get_value("Role", {}, "name")
	with pytest.raises(Exception) as caught:
		frappe.db.sql("INSERT INTO `tabRole` (name) VALUES (%s)", role)
	frappe.db.rollback()
	return caught.value


def test_batches_run_until_nothing_is_left():
	job = Job("abcde")

	assert run_batches(job) == (5, BatchState.EMPTY)
	assert job.attempts == ["abc", "de"]


def test_time_that_is_up_leaves_the_rest():
	job = Job("abcde", BatchPolicy(True, -1))

	assert run_batches(job) == (3, BatchState.DONE)
	assert job.due == ["d", "e"]


def test_deadlock_repeats_the_batch_after_a_pause(pauses):
	job = Job("abc", errors=[DEADLOCK, DEADLOCK])

	assert run_batch(job) == (BatchState.DONE, 3)
	assert (job.attempts, len(pauses)) == (["abc"] * 3, 2)


def test_rows_that_another_worker_inserted_first_are_read_anew(pauses):
	job = Job("abc", errors=[duplicate()])

	assert run_batch(job) == (BatchState.DONE, 3)
	assert (job.attempts, len(pauses)) == (["abc"] * 2, 1)


@pytest.mark.parametrize(
	("error", "attempts"), [(DEADLOCK, deadlocks.DEADLOCK_ATTEMPTS), (TIMEOUT, deadlocks.TIMEOUT_ATTEMPTS)]
)
def test_lock_conflict_that_stays_leaves_the_rows_due(error, attempts):
	job = Job("abcde", errors=[error] * 20)

	assert run_batches(job) == (0, BatchState.BUSY)
	assert (len(job.attempts), job.due, job.put_off_rows) == (attempts, list("abcde"), [])


def test_lock_conflict_that_stays_is_raised_where_a_run_records_it():
	job = Job("abc", AS_A_WHOLE, errors=[DEADLOCK] * 20)

	with pytest.raises(frappe.QueryDeadlockError):
		run_batches(job)


def test_one_bad_row_is_put_off_and_the_others_are_done():
	job = Job("abcde", bad="b")

	assert run_batches(job) == (4, BatchState.EMPTY)
	assert (job.done, job.put_off_rows) == (list("acde"), ["b: bad row"])


def test_rows_that_are_all_bad_are_all_put_off():
	job = Job("abcde", bad="abcde")

	assert run_batches(job) == (0, BatchState.EMPTY)
	assert [row[0] for row in job.put_off_rows] == list("abcde")


def test_row_that_another_worker_claimed_meanwhile_is_not_put_off_by_this_one():
	job = Job("ab", bad="a")
	claim, claims = job.claim, []

	def claim_and_lose(limit: int) -> list[str]:
		claims.append(limit)
		return ["b"] if len(claims) == 3 else claim(limit)  # the third claim is the one that puts off

	job.claim = claim_and_lose
	run_batch(job)

	assert (job.done, job.put_off_rows) == (["b"], ["a: bad row"])
	assert claims[:3] == [3, 1, 1]


def test_error_in_a_job_without_one_by_one_is_raised_and_leaves_nothing():
	job = Job("abc", AS_A_WHOLE, bad="b")

	with pytest.raises(ValueError, match="bad row"):
		run_batch(job)
	assert (job.attempts, job.done) == (["abc"], [])


@pytest.mark.parametrize("errors", [[TextError("no text")], [ValueError("x"), TextError("no text")]])
def test_error_of_the_campaign_pauses_it_and_counts_as_a_failure_of_no_row(errors):
	job = Job("abc", errors=errors)

	assert run_batch(job).state is BatchState.PAUSED
	assert (job.paused, job.put_off_rows) == ("no text", [])


def test_transaction_is_rolled_back_before_the_next_attempt():
	written, errors = [], [DEADLOCK]

	def work() -> int:
		written.append(frappe.db.exists("Role", "Drip Batch Test"))
		frappe.get_doc(doctype="Role", role_name="Drip Batch Test").insert()
		if errors:
			raise errors.pop()
		return 1

	assert batches.run_transaction(work) == 1
	frappe.db.rollback()

	assert written == [None, None]
	assert frappe.db.exists("Role", "Drip Batch Test")
	frappe.delete_doc("Role", "Drip Batch Test")
	frappe.db.commit()
