"""Retry actions that failed, after a user fixed the cause. Nothing here commits."""

from collections.abc import Sequence
from datetime import datetime

import frappe

from drip_campaigns.actions.queue import DOCTYPE, WORK_JOB
from drip_campaigns.core.flow.actions import ActionStatus
from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.db.dialect import is_among
from drip_campaigns.site.background_jobs import call_after_commit
from drip_campaigns.site.clock import to_site

GIVEN_UP = (ActionStatus.FAILED.value, ActionStatus.IN_DOUBT.value)


def retry_actions(names: Sequence[str], now: datetime) -> int:
	"""Queue again the actions among `names` that failed or are in doubt; return how many. Idempotent."""
	if not names:
		return 0
	action = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(action).select(action.name, action.enrollment).for_update()
	rows = query.where(is_among(action.name, names) & action.status.isin(GIVEN_UP)).run(as_dict=True)
	site_now, waiting = to_site(now), ActionStatus.WAITING.value
	columns = ("name", "modified", "status", "attempts", "due_at", "done_at", "outcome")
	set_each(DOCTYPE, columns, [(row.name, site_now, waiting, 0, site_now, None, None) for row in rows])
	set_each(
		"Drip Enrollment", ("name", "last_error"), [(name, None) for name in {row.enrollment for row in rows}]
	)
	call_after_commit(WORK_JOB, "drip-actions")
	return len(rows)


def find_failed_of(campaign: str, limit: int) -> list[str]:
	"""Return the failed actions of a campaign, for `retry_actions`. A Webhook in doubt needs a person to decide."""
	filters = {"campaign": campaign, "status": ActionStatus.FAILED.value}
	return frappe.get_all(DOCTYPE, filters=filters, pluck="name", limit=limit)
