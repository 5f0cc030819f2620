"""How enrollments end, in batches: by a rule, by a user, or because the person unsubscribed. Nothing here commits."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.core.model import EventType, ExitReason, Status
from drip_campaigns.db.dialect import is_among
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.changes import (
	detail_of_user,
	lock_enrollments,
	make_event,
	refuse_status,
	write_states,
)
from drip_campaigns.enrollment.refusals import VerbResult
from drip_campaigns.outbox.cancel import cancel
from drip_campaigns.outbox.emails import name_last_emails
from drip_campaigns.people.addresses import normalize, spellings
from drip_campaigns.plans.enrollment_rows import lock_live_enrollments
from drip_campaigns.plans.enrollment_state import LIVE_VALUES, final_fields
from drip_campaigns.site.clock import to_site


def exit_enrollments(names: Sequence[str], reason: ExitReason, detail: str, now: datetime) -> int:
	"""End those of the enrollments that are live, with the reason, and cancel what is queued. Return how many."""
	rows = lock_live_enrollments(names) if names else []
	end_rows(rows, reason, detail, now)
	return len(rows)


def remove_enrollments(names: Sequence[str], now: datetime) -> VerbResult:
	"""Remove people from their campaigns for a user, and cancel what is queued. Their place is remembered."""
	result, rows = VerbResult(), lock_enrollments(names)
	live = [row for row in rows if row.status in LIVE_VALUES]
	result.refusals = {row.name: refuse_status(row) for row in rows if row.status not in LIVE_VALUES}
	end_rows(live, ExitReason.REMOVED, detail_of_user(), now)
	result.done = len(live)
	return result


def end_rows(
	rows: Sequence[frappe._dict], reason: ExitReason | None, detail: str | None, now: datetime
) -> None:
	"""End locked enrollments with the reason; without a reason as Unsubscribed, because the person did that."""
	if not rows:
		return
	status, event = (
		(Status.EXITED, EventType.EXITED) if reason else (Status.UNSUBSCRIBED, EventType.UNSUBSCRIBED)
	)
	closing = final_fields(status, now, reason)
	# The delay of a paused enrollment has not run since: a person who comes back has the rest of it.
	states = [{**row, **closing, "ended_at": row.paused_at or closing["ended_at"]} for row in rows]
	write_states(states, now)
	cancel([row.name for row in rows], (reason or status).value, now)
	events = [make_event(row, event, detail) for row in rows]
	name_last_emails(events)
	record_events(events, to_site(now))


def exit_address(address: str, campaign: str | None, now: datetime, reason: ExitReason | None = None) -> None:
	"""End the live enrollments of an address, in one campaign or in all: without a reason as Unsubscribed."""
	filters = {"campaign": campaign} if campaign else {}
	_end_live(find_live_of(address, **filters), reason, now)


def unsubscribe_through_list(address: str, target_list: str, now: datetime) -> None:
	"""End the live enrollments of an address that came through a list from which the person unsubscribed."""
	_end_live(find_live_of(address, target_list=target_list), None, now)


def _end_live(names: Sequence[str], reason: ExitReason | None, now: datetime) -> None:
	rows = lock_live_enrollments(names) if names else []
	end_rows(rows, reason, reason.value if reason else None, now)


def find_live_of(address: str, **filters: Any) -> list[str]:
	"""Return the names of the live enrollments of an address, of any record; always in the same order."""
	whose = {"email_address": ["in", spellings(address)], "status": ["in", list(LIVE_VALUES)]}
	rows = frappe.get_all(
		"Drip Enrollment", filters={**whose, **filters}, fields=["name", "email_address"], order_by="name"
	)
	# The database compares ü and u as equal.
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
