"""The rows of firings: find the triggers with due firings, claim a batch, record its results."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import frappe

from drip_campaigns.core.flow.triggers import FiringStatus
from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.people.recipients import load_creations

DOCTYPE = "Drip Trigger Firing"
CLEAR_AT_ONCE = 10_000


def find_due_triggers(site_now: datetime) -> list[str]:
	"""Return the names of the triggers that have a firing due at `site_now`, by an index alone."""
	firing = frappe.qb.DocType(DOCTYPE)
	is_due = (firing.status == FiringStatus.WAITING.value) & (firing.due_at <= site_now)
	return frappe.qb.from_(firing).select(firing.campaign_trigger).distinct().where(is_due).run(pluck=True)


def claim_due(trigger: str, site_now: datetime, limit: int) -> list[frappe._dict]:
	"""Lock and return up to `limit` due firings of a trigger, without those that another worker has locked."""
	firing = frappe.qb.DocType(DOCTYPE)
	return (
		frappe.qb.from_(firing)
		.select(firing.name, firing.record_type, firing.record, firing.record_created_at)
		.select(firing.detail, firing.attempts)
		.where((firing.campaign_trigger == trigger) & (firing.status == FiringStatus.WAITING.value))
		.where(firing.due_at <= site_now)
		.orderby(firing.due_at)
		.limit(limit)
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)


def find_replaced(rows: Sequence[frappe._dict]) -> set[str]:
	"""Return the firings whose record was deleted, and whose record's name a newer record has."""
	by_type: dict[str, set[str]] = {}
	for row in rows:
		if row.record_created_at:
			by_type.setdefault(row.record_type, set()).add(row.record)
	created = {doctype: load_creations(doctype, sorted(names)) for doctype, names in by_type.items()}
	return {
		row.name
		for row in rows
		if row.record in created.get(row.record_type, ())
		and created[row.record_type][row.record] > row.record_created_at
	}


def settle(outcomes: Mapping[str, str], status: FiringStatus, site_now: datetime) -> None:
	"""Record the outcomes of firings that the caller has locked."""
	rows = [(name, site_now, status.value, outcome) for name, outcome in outcomes.items()]
	set_each(DOCTYPE, ("name", "modified", "status", "outcome"), rows)


def put_off(rows: Sequence[frappe._dict], why: str, due_at: datetime, *, attempts: int = 0) -> None:
	"""Defer firings until `due_at`, and record the reason."""
	values = [(row.name, due_at, row.attempts + attempts, why) for row in rows]
	set_each(DOCTYPE, ("name", "due_at", "attempts", "outcome"), values)


def find_latest_firing(trigger: str, records: Sequence[str]) -> frappe._dict | None:
	"""Return the latest firing of a trigger at one of `records`: fired_at, due_at and outcome."""
	rows = frappe.get_all(
		DOCTYPE,
		filters={"campaign_trigger": trigger, "record": ["in", list(records)]},
		fields=["fired_at", "due_at", "outcome"],
		order_by="fired_at desc",
		limit=1,
	)
	return rows[0] if rows else None


def clear_settled(before: datetime) -> int:
	"""Delete up to 10,000 firings that were settled before a moment; return how many. Events that old are not reported again."""
	firing = frappe.qb.DocType(DOCTYPE)
	is_old = (firing.status != FiringStatus.WAITING.value) & (firing.modified < before)
	names = frappe.qb.from_(firing).select(firing.name).where(is_old).limit(CLEAR_AT_ONCE).run(pluck=True)
	if names:
		frappe.db.delete(DOCTYPE, {"name": ["in", names]})
	return len(names)
