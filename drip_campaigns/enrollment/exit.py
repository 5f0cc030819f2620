"""How enrollments end: one, all of an address, or many at once in a handful of statements. Nothing here commits."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.core.model import EventType, ExitReason, Status
from drip_campaigns.db.dialect import is_among
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.changes import log, set_fields, status_after
from drip_campaigns.outbox.cancel import cancel
from drip_campaigns.people.addresses import normalize, spellings
from drip_campaigns.plans.enrollment_rows import lock_live_enrollments, update_enrollments
from drip_campaigns.plans.enrollment_state import LIVE_VALUES, final_fields
from drip_campaigns.site.clock import to_site


def exit_enrollment(
	document, now: datetime, reason: ExitReason | None, event: EventType = EventType.EXITED
) -> None:
	"""End an enrollment by a rule, with the reason; without one, because the recipient left (`event` says so)."""
	status = Status(status_after(document, event))
	closing = final_fields(status, now, reason)
	if document.paused_at:
		# The delay has stood still since; whoever comes back has the rest of it.
		closing["ended_at"] = document.paused_at
	set_fields(document, closing)
	cancel([document.name], reason.value if reason else Status.UNSUBSCRIBED.value, now)
	log(document, event, now, reason.value if reason else None)


def exit_all_of_address(
	address: str, campaign: str | None, now: datetime, reason: ExitReason | None = None
) -> None:
	"""End the live enrollments of an address, in one campaign or in all: without a reason, because the person has left."""
	event = EventType.EXITED if reason else EventType.UNSUBSCRIBED
	for name in find_live_of(address, **({"campaign": campaign} if campaign else {})):
		_end_if_live(name, event, now, reason)


def exit_through_list(address: str, target_list: str, now: datetime) -> None:
	"""Whoever has this address has left a list: end the live enrollments that came through it."""
	for name in find_live_of(address, target_list=target_list):
		_end_if_live(name, EventType.UNSUBSCRIBED, now, None)


def _end_if_live(name: str, event: EventType, now: datetime, reason: ExitReason | None) -> None:
	document = frappe.get_doc("Drip Enrollment", name, for_update=True)
	if document.status in LIVE_VALUES:  # not ended by somebody else meanwhile
		exit_enrollment(document, now, reason, event)


def find_live_of(address: str, **filters: Any) -> list[str]:
	"""Return the names of the live enrollments of an address, whatever records they are of; always in the same order."""
	whose = {"email_address": ["in", spellings(address)], "status": ["in", list(LIVE_VALUES)]}
	rows = frappe.get_all(
		"Drip Enrollment", filters={**whose, **filters}, fields=["name", "email_address"], order_by="name"
	)
	# The database takes ü for u.
	return [row.name for row in rows if normalize(row.email_address) == normalize(address)]


def find_live_of_all(addresses: Iterable[str]) -> list[str]:
	"""Return the names of the live enrollments of many addresses: one query."""
	wanted = {normalize(address) for address in addresses}
	spelled = sorted({spelling for address in wanted for spelling in spellings(address)})
	if not spelled:
		return []
	table = frappe.qb.DocType("Drip Enrollment")
	query = frappe.qb.from_(table).select(table.name, table.email_address).orderby(table.name)
	rows = query.where(is_among(table.email_address, spelled) & table.status.isin(sorted(LIVE_VALUES))).run()
	return [name for name, address in rows if normalize(address) in wanted]


def exit_enrollments(names: Sequence[str], reason: ExitReason, detail: str, now: datetime) -> int:
	"""End those of the enrollments that are live, with the reason; withdraw what is queued. Return how many were ended."""
	rows = lock_live_enrollments(names) if names else []
	if not rows:
		return 0
	closing = final_fields(Status.EXITED, now, reason)
	# The delay of one that was paused has stood still since; whoever comes back has the rest of it.
	states = [{**row, **closing, "ended_at": row.paused_at or closing["ended_at"]} for row in rows]
	update_enrollments(states, to_site(now))
	cancel([row.name for row in rows], reason.value, now)
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
