"""Correct statuses that contradict other rows."""

from datetime import datetime

import frappe

from drip_campaigns.core.model import LIVE_STATUSES, EmailStatus, Status
from drip_campaigns.db import bulk_writes
from drip_campaigns.jobs import rescue
from drip_campaigns.outbox import settle
from drip_campaigns.site.clock import to_site

LIMIT = 10_000
_OPEN = (EmailStatus.QUEUED.value, EmailStatus.SENDING.value)


def repair(now: datetime) -> dict[str, int]:
	"""Settle stray emails, and correct statuses that contradict other rows; return how many of each. The rescue commits."""
	settled = rescue.rescue_strays(now)
	reopened = _reopen_with_open_rows(now)
	leftovers = _find_leftovers()
	before = frappe.db.count("Drip Enrollment", {"status": Status.COMPLETED.value})
	settle.complete_finished(leftovers, now)
	completed = frappe.db.count("Drip Enrollment", {"status": Status.COMPLETED.value}) - before
	return {"settled": settled, "reopened": reopened, "completed": completed}


def _reopen_with_open_rows(now: datetime) -> int:
	"""Set enrollments back to In Progress that are Completed although an email is still open."""
	enrollment, email = frappe.qb.DocType("Drip Enrollment"), frappe.qb.DocType("Drip Email")
	names = (
		frappe.qb.from_(enrollment)
		.inner_join(email)
		.on(email.enrollment == enrollment.name)
		.select(enrollment.name)
		.distinct()
		.where((enrollment.status == Status.COMPLETED.value) & email.status.isin(_OPEN))
		.limit(LIMIT)
		.run(pluck=True)
	)
	values = {"status": Status.IN_PROGRESS.value, "ended_at": None}
	bulk_writes.set_values("Drip Enrollment", names, values, to_site(now))
	return len(names)


def _find_leftovers() -> list[str]:
	live = [status.value for status in LIVE_STATUSES - {Status.PAUSED}]
	filters = {"status": ["in", live], "next_send_at": ["is", "not set"], "next_step": ["is", "not set"]}
	return frappe.get_all("Drip Enrollment", filters=filters, pluck="name", limit=LIMIT)
