"""Read, lock, and write enrollments in batches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import frappe

from drip_campaigns.core.model import LIVE_STATUSES, CampaignStatus, Status
from drip_campaigns.db import doc_event_queue
from drip_campaigns.db.columns import ENROLLMENT_ORIGIN, ENROLLMENT_STATE
from drip_campaigns.db.dialect import is_among, select_in, update_rows
from drip_campaigns.plans.enrollment_state import live_keys
from drip_campaigns.plans.past_enrollments import Identity, find_past_enrollments

ENROLLMENT_FIELDS = (*ENROLLMENT_ORIGIN, *ENROLLMENT_STATE)
UPDATED_FIELDS = ("name", "modified", *ENROLLMENT_STATE)

_HANDLED = """
	SELECT enrollment, step, status, queued_at, NULL AS done_at, 0 AS waits
	FROM `tabDrip Email` WHERE enrollment IN %(names)s
	UNION ALL SELECT enrollment, step, status, NULL, done_at, waits
	FROM `tabDrip Action` WHERE enrollment IN %(names)s
"""


def claim_due(campaign: str, site_now: datetime, limit: int) -> list[frappe._dict]:
	"""Lock and return up to `limit` enrollments of `campaign` that are due at `site_now`, the longest due first.

	Skips rows that another worker holds, so that workers never wait for each other.
	"""
	enrollment = frappe.qb.DocType("Drip Enrollment")
	return (
		frappe.qb.from_(enrollment)
		.select(*(enrollment[field] for field in ENROLLMENT_FIELDS))
		.where((enrollment.campaign == campaign) & (enrollment.next_send_at <= site_now))
		.orderby(enrollment.next_send_at)
		.limit(limit)
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)


def lock_live_enrollments(names: Sequence[str]) -> list[frappe._dict]:
	"""Lock and return the enrollments that are live, paused ones included."""
	enrollment = frappe.qb.DocType("Drip Enrollment")
	return (
		frappe.qb.from_(enrollment)
		.select(*(enrollment[field] for field in ENROLLMENT_FIELDS))
		.where(is_among(enrollment.name, names))
		.where(enrollment.status.isin(sorted(status.value for status in LIVE_STATUSES)))
		.for_update()
		.run(as_dict=True)
	)


def is_any_pause_over(site_now: datetime) -> bool:
	"""Return True if a pause is over at `site_now`, a closed campaign may end, or a winner may be chosen."""
	# Raw: five probes in one statement, because every dispatch runs it and it rarely finds anything.
	probes = """
		(SELECT 1 FROM `tabDrip Campaign` WHERE status = 'Paused' AND paused_until <= %(now)s LIMIT 1)
		UNION ALL (SELECT 1 FROM `tabDrip Campaign` WHERE status = 'Active' AND closed_at IS NOT NULL LIMIT 1)
		UNION ALL (SELECT 1 FROM `tabDrip Campaign Step` WHERE is_paused = 1 AND paused_until <= %(now)s LIMIT 1)
		UNION ALL (SELECT 1 FROM `tabDrip Enrollment` AS enrollment
			INNER JOIN `tabDrip Campaign` AS campaign ON campaign.name = enrollment.campaign
			WHERE enrollment.status = 'Paused' AND enrollment.paused_until <= %(now)s
			AND campaign.status = 'Active' LIMIT 1)
		UNION ALL (SELECT 1 FROM `tabDrip Step Variant` AS variant
			INNER JOIN `tabDrip Campaign` AS campaign ON campaign.name = variant.parent
			INNER JOIN `tabDrip Campaign Step` AS step
				ON step.parent = campaign.name AND step.label = variant.step_label
			LEFT JOIN `tabDrip Variant Result` AS test ON test.name = step.name
			WHERE campaign.status = 'Active' AND step.winner_by <> '' AND test.name IS NULL LIMIT 1)"""
	# nosemgrep: raw-sql - constant text; the query builder has no such UNION
	return bool(frappe.db.sql(probes, {"now": site_now}))


def find_campaigns_with_ended_pauses(site_now: datetime) -> list[str]:
	"""Return the active campaigns in which the pause of a recipient is over at `site_now`."""
	enrollment, campaign = frappe.qb.DocType("Drip Enrollment"), frappe.qb.DocType("Drip Campaign")
	return (
		frappe.qb.from_(enrollment)
		.inner_join(campaign)
		.on(campaign.name == enrollment.campaign)
		.select(enrollment.campaign)
		.distinct()
		.where((enrollment.paused_until <= site_now) & (enrollment.status == Status.PAUSED.value))
		.where(campaign.status == CampaignStatus.ACTIVE.value)
		.run(pluck=True)
	)


def claim_ended_pauses(campaign: str, site_now: datetime, limit: int) -> list[frappe._dict]:
	"""Lock and return up to `limit` enrollments of `campaign` whose pause is over at `site_now`."""
	enrollment = frappe.qb.DocType("Drip Enrollment")
	return (
		frappe.qb.from_(enrollment)
		.select(*(enrollment[field] for field in ENROLLMENT_FIELDS))
		.where((enrollment.campaign == campaign) & (enrollment.paused_until <= site_now))
		.where(enrollment.status == Status.PAUSED.value)
		.orderby(enrollment.paused_until)
		.limit(limit)
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)


def load_handled_steps(enrollments: Sequence[str]) -> dict[str, dict[str, frappe._dict]]:
	"""Return the steps of each enrollment that have a Drip Email (`status`, `queued_at`) or a Drip Action.

	For an action: `status`, `done_at`, and whether the next step `waits` for it. Call it after the claim, because the
	first plain read of a transaction fixes what it sees, and it must see what others committed before the lock.
	"""
	handled: dict[str, dict[str, frappe._dict]] = {name: {} for name in enrollments}
	if enrollments:
		# nosemgrep: raw-sql - constant text, with names as values
		for row in frappe.db.sql(_HANDLED, {"names": tuple(enrollments)}, as_dict=True):
			handled[row.enrollment][row.step] = row
	return handled


def find_taken_keys(keys: Sequence[str], column: str = "live_address") -> set[str]:
	"""Return the keys of a unique column, by default live addresses, that an enrollment already has."""
	return {row[column] for row in select_in("Drip Enrollment", [column], column, keys)}


def find_superseded(names: Sequence[str]) -> set[str]:
	"""Return the enrollments whose record, or another one with its address, was enrolled in the same campaign later."""
	rows = select_in("Drip Enrollment", ENROLLMENT_FIELDS, "name", names)
	by_campaign: dict[str, dict[str, Identity]] = defaultdict(dict)
	for row in rows:
		address, created = row.email_address or "", row.recipient_created_at
		person = Identity(row.recipient_type, row.recipient or "", address, created)
		by_campaign[row.campaign][row.name] = person
	latest = {
		name: past[-1].creation
		for campaign, people in by_campaign.items()
		for name, past in find_past_enrollments(people, (), campaign=campaign).items()
		if past  # none: the person was erased
	}
	return {row.name for row in rows if row.name in latest and latest[row.name] > row.creation}


def find_free_keys(rows: Sequence[frappe._dict]) -> dict[str, dict[str, str]]:
	"""Return the keys of the enrollments that can be live again, by name; a few statements for all of them.

	A person who was enrolled several times, by record or by address, has only the latest reopened, and none while another
	one is live. An enrollment whose record was deleted or erased is not reopened.
	"""
	superseded = find_superseded([row.name for row in rows])
	keys = {
		row.name: live_keys(row.campaign, row.recipient_type, row.recipient, row.email_address)
		for row in rows
		if row.recipient and row.email_address and row.name not in superseded
	}
	taken = {
		key
		for column in ("live_recipient", "live_address")
		for key in find_taken_keys([own[column] for own in keys.values()], column)
	}
	free = {}
	for name, own in keys.items():
		if taken.isdisjoint(own.values()):
			taken.update(own.values())
			free[name] = own
	return free


def update_enrollments(rows: Iterable[dict], site_now: datetime, more_fields: Sequence[str] = ()) -> None:
	"""Write the new state of enrollments that the caller has locked, in one statement.

	`more_fields` are written in addition to UPDATED_FIELDS; each row has all of them.
	"""
	rows, fields = list(rows), (*UPDATED_FIELDS, *more_fields)
	doc_event_queue.record_changes("Drip Enrollment", [row["name"] for row in rows])
	update_rows(
		"Drip Enrollment",
		fields,
		[[site_now if field == "modified" else row.get(field) for field in fields] for row in rows],
	)
