"""Enqueue jobs that process rows of the current transaction: once, and only after its commit."""

import frappe

LONG = "long"


def call_after_commit(method: str, job_id: str) -> None:
	"""Enqueue `method` after this transaction's commit, once for any number of calls, unless the job is queued already.

	It never raises after the commit: the next dispatch processes the rows if the job could not be enqueued.
	"""
	called = frappe.flags.setdefault("drip_called_workers", set())
	if job_id in called:
		return
	called.add(job_id)
	frappe.db.after_commit.add(lambda: _call(method, job_id, called))
	frappe.db.after_rollback.add(lambda: called.discard(job_id))


def _call(method: str, job_id: str, called: set[str]) -> None:
	called.discard(job_id)
	call_worker(method, job_id)


def call_worker(method: str, job_id: str) -> None:
	"""Enqueue `method` for rows that are committed, unless the job is queued or running. Never raises."""
	try:
		frappe.enqueue(method, queue=LONG, job_id=job_id, deduplicate=True)
	except Exception:  # noqa: BLE001 - the rows are committed; the next dispatch processes them
		frappe.logger("drip_campaigns").exception(
			"%s could not be enqueued; the next dispatch does its work", job_id
		)
