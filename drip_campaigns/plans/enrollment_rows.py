"""All SQL of the due-email run: finding what is due, locking it, reading and writing it in batches."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import frappe

from drip_campaigns.core.model import LIVE_STATUSES, CampaignStatus, Status
from drip_campaigns.db import doc_event_queue
from drip_campaigns.db.dialect import is_among, select_in, update_rows

ENROLLMENT_FIELDS = (
	"name",
	"creation",
	"owner",
	"campaign",
	"recipient_type",
	"recipient",
	"recipient_name",
	"email_address",
	"sender",
	"target_list",
	"status",
	"start_date",
	"end_date",
	"next_step",
	"next_step_subject",
	"next_send_at",
	"paused_at",
	"paused_until",
	"exit_reason",
	"last_error",
	"attempts",
	"started_at",
	"ended_at",
	"time_zone",
	"anchor_at",
	"anchor_hours",
	"reached_step",
	"reached_hours",
	"deferred_until",
	"deferred_reason",
	"jump_to",
	"waiting_since",
	"live_recipient",
	"live_address",
	"confirmation",
	"confirmation_asked_at",
)

UPDATED_FIELDS = (
	"name",
	"modified",
	"email_address",
	"status",
	"end_date",
	"next_step",
	"next_step_subject",
	"next_send_at",
	"paused_at",
	"paused_until",
	"exit_reason",
	"last_error",
	"attempts",
	"ended_at",
	"anchor_at",
	"anchor_hours",
	"reached_step",
	"reached_hours",
	"deferred_until",
	"deferred_reason",
	"jump_to",
	"waiting_since",
	"live_recipient",
	"live_address",
	"confirmation",
	"confirmation_asked_at",
)


_DEALT_WITH = """
	SELECT enrollment, step, status, queued_at, NULL AS done_at, 0 AS waits
	FROM `tabDrip Email` WHERE enrollment IN %(names)s
	UNION ALL SELECT enrollment, step, status, NULL, done_at, waits
	FROM `tabDrip Action` WHERE enrollment IN %(names)s
"""


def claim_due(campaign: str, site_now: datetime, limit: int) -> list[frappe._dict]:
	"""Lock and return up to `limit` enrollments of `campaign` due at `site_now`, the longest due first.

	Rows that another worker holds are passed over, so several workers never wait for each other.
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
	"""Lock and return those of the enrollments that are live, paused ones included."""
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
	"""Say whether a campaign, a step or a person is to go on at `site_now`, a closed one to end, or a winner to be chosen."""
	# Raw: five probes in one statement, for every dispatch asks, and most often the answer is no.
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
	return bool(frappe.db.sql(probes, {"now": site_now}))


def find_campaigns_with_ended_pauses(site_now: datetime) -> list[str]:
	"""Return the names of the active campaigns in which a recipient's pause is over at `site_now`."""
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
	"""Lock and return up to `limit` enrollments of `campaign` whose recipient's pause is over at `site_now`."""
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
	"""Return, for each enrollment, its steps that have a Drip Email, with that email's `status` and `queued_at`.

	And those that have a Drip Action, with that action's `status`, `done_at`, and whether the next step `waits` for it.

	Read it after the claim: a transaction's first plain read fixes what it sees, and it must see what other
	workers had committed when the lock was granted.
	"""
	dealt_with: dict[str, dict[str, frappe._dict]] = {name: {} for name in enrollments}
	if enrollments:
		for row in frappe.db.sql(_DEALT_WITH, {"names": tuple(enrollments)}, as_dict=True):
			dealt_with[row.enrollment][row.step] = row
	return dealt_with


def find_taken_keys(keys: Sequence[str], column: str = "live_address") -> set[str]:
	"""Return those of the live-address keys, or those of another unique column, that an enrollment already holds."""
	return {row[column] for row in select_in("Drip Enrollment", [column], column, keys)}


def find_superseded(names: Sequence[str]) -> set[str]:
	"""Return those of the enrollments whose record has been enrolled in the same campaign again since."""
	if not names:
		return set()
	older, newer = (frappe.qb.DocType("Drip Enrollment").as_(alias) for alias in ("older", "newer"))
	same = (newer.campaign == older.campaign) & (newer.recipient_type == older.recipient_type)
	same &= (newer.recipient == older.recipient) & (newer.creation > older.creation)
	query = frappe.qb.from_(older).inner_join(newer).on(same).select(older.name).distinct()
	return set(query.where(is_among(older.name, names)).run(pluck=True))


def update_enrollments(rows: Iterable[dict], site_now: datetime, more_fields: Sequence[str] = ()) -> None:
	"""Write the new state of enrollments whose locks the caller holds, in one statement.

	`more_fields` are written beside UPDATED_FIELDS; each row has them all.
	"""
	rows, fields = list(rows), (*UPDATED_FIELDS, *more_fields)
	doc_event_queue.record_changes("Drip Enrollment", [row["name"] for row in rows])
	update_rows(
		"Drip Enrollment",
		fields,
		[[site_now if field == "modified" else row.get(field) for field in fields] for row in rows],
	)
