"""Ending many enrollments at once, in a handful of statements. Nothing here commits."""

from collections.abc import Sequence
from datetime import datetime

import frappe

from drip_campaigns.core.model import EventType, ExitReason, Status
from drip_campaigns.dispatch.store import advance_enrollments, lock_going_on, record_events
from drip_campaigns.dispatch.withdraw import withdraw
from drip_campaigns.enrollment.state import closing_fields
from drip_campaigns.site_clock import to_site


def end_batch(names: Sequence[str], reason: ExitReason, detail: str, now: datetime) -> int:
	"""End those of the enrollments that are live, with the reason; withdraw what is queued. Return how many were ended."""
	rows = lock_going_on(names) if names else []
	if not rows:
		return 0
	closing = closing_fields(Status.EXITED, now, reason)
	# The delay of one that was paused has stood still since; whoever comes back has the rest of it.
	states = [{**row, **closing, "left_at": row.paused_at or closing["left_at"]} for row in rows]
	advance_enrollments(states, to_site(now))
	withdraw([row.name for row in rows], reason.value, now)
	record_events([_event(row, detail) for row in rows], to_site(now))
	return len(rows)


def _event(row: frappe._dict, detail: str) -> dict:
	return {
		"event_type": EventType.EXITED.value,
		"detail": detail,
		"campaign": row.campaign,
		"enrollment": row.name,
		"email_address": row.email_address,
	}
