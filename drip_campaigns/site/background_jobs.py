"""Jobs that work off what a transaction has written: called once, and only after its commit."""

import frappe

LONG = "long"


def call_after_commit(method: str, job_id: str) -> None:
	"""Enqueue `method` once this transaction is committed, however often it asks; a job that waits already is enough.

	It never stops who saves: what was written is committed by then, and the next dispatch works off what waits.
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
	"""Enqueue `method` for what is committed already; a job that waits or runs is enough. Never raises."""
	try:
		frappe.enqueue(method, queue=LONG, job_id=job_id, deduplicate=True)
	except Exception:  # noqa: BLE001 - what it is about is committed; the next dispatch does what waits
		frappe.logger("drip_campaigns").exception("%s waits for the next dispatch", job_id)
