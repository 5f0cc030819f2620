"""Enroll many records of one type, in batches: a handful of statements for a thousand, whatever is refused and why.

Running it again enrolls only those who are not on the campaign yet, so a run that was cut short is simply run again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import frappe
from frappe.utils import create_batch, getdate

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import EventType, Position
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.db import doc_event_queue
from drip_campaigns.db.dialect import insert_rows
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment import enroll
from drip_campaigns.enrollment.admission import check_campaign, first_status, start_moment
from drip_campaigns.enrollment.confirm import find_who_must_confirm
from drip_campaigns.enrollment.eligibility import Eligibility
from drip_campaigns.enrollment.sender_choice import choose_senders
from drip_campaigns.people.addresses import normalize
from drip_campaigns.people.preferences import NO_PREFERENCE, Preference
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.plans.campaign_plan import step_subjects
from drip_campaigns.plans.enrollment_state import (
	live_keys,
	plan_fields,
	position_fields,
	recipient_pause_fields,
	waiting_fields,
)
from drip_campaigns.site.clock import site_date, to_site
from drip_campaigns.site.row_names import new_name

BATCH_SIZE = 1000
_COLUMNS = (
	*("name", "owner", "creation", "modified", "modified_by"),
	*("campaign", "recipient_type", "recipient", "recipient_name", "email_address"),
	*("status", "start_date", "end_date", "sender", "target_list", "paused_at", "paused_until"),
	*("next_step", "next_step_subject", "next_send_at"),
	*(
		"started_at",
		"time_zone",
		"anchor_at",
		"anchor_hours",
		"reached_step",
		"reached_hours",
		"deferred_until",
		"jump_to",
	),
	*("live_recipient", "live_address", "require_confirmation", "confirmation"),
)


@dataclass
class BulkResult:
	"""How many were enrolled, how many taken up again, and how many not, by reason."""

	enrolled: int = 0
	resumed: int = 0
	refused: Counter = field(default_factory=Counter)
	reasons: dict[str, str] = field(default_factory=dict)  # of one batch: record -> why it was refused

	@property
	def total(self) -> int:
		"""Everybody who was looked at."""
		return self.enrolled + self.resumed + sum(self.refused.values())

	def refuse(self, record: str, reason: str) -> None:
		"""Count a record that is not enrolled."""
		self.refused[reason] += 1
		self.reasons[record] = reason

	def add(self, other: "BulkResult") -> None:
		"""Add another batch's figures."""
		self.enrolled += other.enrolled
		self.resumed += other.resumed
		self.refused += other.refused


def enroll_many(
	campaign: str,
	recipient_type: str,
	names: Iterable[str],
	now: datetime,
	*,
	start_date: date | None = None,
	sender: str | None = None,
	target_list: str | None = None,
	require_confirmation: bool = False,
	starts_over: bool = False,
	batch_size: int = BATCH_SIZE,
) -> Iterator[BulkResult]:
	"""Enroll the records `names`, yielding each batch's figures; the caller commits between two batches.

	Only records that the session's user may read are enrolled. Raises what makes the whole run impossible: an
	unknown or ended campaign, a start date in the past.
	"""
	frappe.has_permission("Drip Enrollment", "create", throw=True)
	run = _Run(campaign, recipient_type, now, start_date, sender, target_list)
	run.require_confirmation = require_confirmation
	run.choice.starts_over = starts_over
	for batch in create_batch(list(names), batch_size):
		yield run.enroll(batch)


class _Run:
	def __init__(
		self,
		campaign: str,
		recipient_type: str,
		now: datetime,
		start_date: date | None,
		sender: str | None,
		target_list: str | None,
	):
		self.campaign = frappe.get_doc("Drip Campaign", campaign)
		check_campaign(self.campaign)
		self.recipient_type, self.now = recipient_type, now
		self.choice = Eligibility(self.campaign, recipient_type, now, target_list)
		self.plan = self.choice.plan
		self.subjects = step_subjects(self.campaign)
		self.start_date = getdate(start_date) if start_date else site_date(now)
		self.sender, self.target_list = sender, target_list
		self.by_zone: dict[str | None, tuple[Position, dict[str, Any]]] = {}
		self.require_confirmation = False

	def enroll(self, names: Sequence[str]) -> BulkResult:
		result = BulkResult()
		verdicts, self.preferences = self.choice.judge(names)
		for verdict in verdicts:
			if verdict.refusal:
				result.refuse(verdict.name, verdict.refusal.reason)
			elif verdict.resumes:
				self._resume(verdict.resumes, result)
		self._insert([verdict.recipient for verdict in verdicts if verdict.is_new], result)
		return result

	def _resume(self, row: frappe._dict, result: BulkResult) -> None:
		try:
			enroll.resume(frappe.get_doc("Drip Enrollment", row.name), self.now)
			result.resumed += 1
		except DripError as error:
			result.refuse(row.recipient, str(error))

	def _preference(self, recipient: Recipient) -> Preference:
		return self.preferences.get(normalize(recipient.email), NO_PREFERENCE)

	def _insert(self, recipients: Sequence[Recipient], result: BulkResult) -> None:
		rows, events = [], []
		addresses = [recipient.email for recipient in recipients]
		asked = find_who_must_confirm(self.campaign, addresses, required=self.require_confirmation)
		senders = choose_senders(self.campaign, recipients, self.sender)
		for recipient, sender in zip(recipients, senders, strict=True):
			row = self._row(recipient, sender, waits=normalize(recipient.email) in asked)
			rows.append([row[column] for column in _COLUMNS])
			events.append(
				{
					"event_type": EventType.ENROLLED.value,
					"campaign": self.campaign.name,
					"enrollment": row["name"],
					"email_address": recipient.email,
				}
			)
		insert_rows("Drip Enrollment", _COLUMNS, rows)
		doc_event_queue.record_inserts("Drip Enrollment", [row[0] for row in rows])
		record_events(events, to_site(self.now))
		result.enrolled += len(rows)

	def _row(self, recipient: Recipient, sender: str, *, waits: bool) -> dict[str, Any]:
		user, site_now = frappe.session.user, to_site(self.now)
		position, future = self._future(recipient)
		return {
			"name": new_name(),
			"owner": user,
			"creation": site_now,
			"modified": site_now,
			"modified_by": user,
			"campaign": self.campaign.name,
			"recipient_type": self.recipient_type,
			"recipient": recipient.name,
			"recipient_name": recipient.full_name or recipient.email,
			"email_address": recipient.email,
			"start_date": self.start_date,
			"sender": sender,
			"target_list": self.target_list,
			"paused_at": None,
			"paused_until": None,
			"require_confirmation": int(self.require_confirmation),
			"confirmation": None,
			**future,
			**(waiting_fields(self.now) if waits else {}),
			**recipient_pause_fields(self._preference(recipient), self.plan, position, self.now),
			**self._keys(recipient),
		}

	def _future(self, recipient: Recipient) -> tuple[Position, dict[str, Any]]:
		"""What the schedule says is the same for everybody of one time zone."""
		zone = recipient.time_zone
		if zone not in self.by_zone:
			start = start_moment(self.start_date, self.campaign, zone, self.now)
			position = due_steps.begin(start, zone)
			future = {
				"status": first_status(self.campaign, start, self.now),
				**position_fields(position),
				**plan_fields(self.plan, position, self.subjects, None),
			}
			self.by_zone[zone] = position, future
		return self.by_zone[zone]

	def _keys(self, recipient: Recipient) -> dict[str, str]:
		return live_keys(self.campaign.name, self.recipient_type, recipient.name, recipient.email)
