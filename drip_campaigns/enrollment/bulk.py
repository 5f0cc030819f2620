"""Enroll many records of one type, in batches: a handful of statements for a thousand, whatever is refused and why.

Running it again enrolls only those who are not on the campaign yet, so a run that was cut short is simply run again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import create_batch, getdate

from drip_campaigns.core import schedule
from drip_campaigns.core.model import EventType, Refuse, Resume, Status
from drip_campaigns.core.reenrollment import re_enroll
from drip_campaigns.dispatch.dialect import insert_rows
from drip_campaigns.dispatch.store import ENROLLMENT_FIELDS, find_taken_keys, load_dealt_with, record_events
from drip_campaigns.enrollment import enroll
from drip_campaigns.enrollment.addresses import is_valid, normalise
from drip_campaigns.enrollment.plans import make_plan, step_subjects
from drip_campaigns.enrollment.recipients import Recipient, load_recipients
from drip_campaigns.enrollment.rules import check_campaign, first_status, start_moment
from drip_campaigns.enrollment.state import (
	LIVE_VALUES,
	live_keys,
	plan_fields,
	position_fields,
	read_position,
	resting_fields,
)
from drip_campaigns.row_names import new_name
from drip_campaigns.site_clock import from_site, site_date, to_site
from drip_campaigns.tracking.consent import find_left, find_left_lists
from drip_campaigns.tracking.preferences import NOTHING_SAID, Preference, load_preferences, personalise

BATCH_SIZE = 1000
_COLUMNS = (
	*("name", "owner", "creation", "modified", "modified_by"),
	*("campaign", "recipient_type", "recipient", "recipient_name", "email_address"),
	*("status", "start_date", "end_date", "sender", "target_list", "paused_at", "paused_until"),
	*("next_step", "next_step_subject", "next_send_at"),
	*("started_at", "time_zone", "anchor_at", "anchor_hours", "reached_step", "reached_hours"),
	*("live_recipient", "live_address"),
)


@dataclass
class BulkResult:
	"""How many were enrolled, how many taken up again, and how many not, by reason."""

	enrolled: int = 0
	resumed: int = 0
	refused: Counter = field(default_factory=Counter)

	@property
	def total(self) -> int:
		"""Everybody who was looked at."""
		return self.enrolled + self.resumed + sum(self.refused.values())

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
	batch_size: int = BATCH_SIZE,
) -> Iterator[BulkResult]:
	"""Enroll the records `names`, yielding each batch's figures; the caller commits between two batches.

	Only records that the session's user may read are enrolled. Raises what makes the whole run impossible: an
	unknown or ended campaign, a start date in the past.
	"""
	frappe.has_permission("Drip Enrollment", "create", throw=True)
	run = _Run(campaign, recipient_type, now, start_date, sender, target_list)
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
		self.plan = make_plan(self.campaign)
		self.subjects = step_subjects(self.campaign)
		self.start_date = getdate(start_date) if start_date else site_date(now)
		self.sender = sender or self.campaign.sender or frappe.session.user
		self.target_list = target_list
		self.by_zone: dict[str | None, dict[str, Any]] = {}

	def enroll(self, names: Sequence[str]) -> BulkResult:
		result = BulkResult()
		readable = set(
			frappe.get_list(
				self.recipient_type, filters={"name": ["in", list(names)]}, pluck="name", limit_page_length=0
			)
		)
		recipients = load_recipients(self.recipient_type, sorted(readable), whole=False)
		self.preferences = load_preferences([recipient.email for recipient in recipients.values()])
		result.refused[_("No such record, or you may not read it")] += len(names) - len(recipients)
		people = [personalise(recipient, self._preference(recipient)) for recipient in recipients.values()]
		accepted = self._choose(people, result)
		self._insert(accepted, result)
		result.refused = +result.refused
		return result

	def _choose(self, recipients: list[Recipient], result: BulkResult) -> list[Recipient]:
		left = find_left(self.campaign.name, [recipient.email for recipient in recipients])
		left |= self._find_left_list(recipients)
		previous = self._load_previous([recipient.name for recipient in recipients])
		keys = {recipient.name: self._keys(recipient)["live_address"] for recipient in recipients}
		taken = find_taken_keys(list(keys.values()))
		accepted = []
		for recipient in recipients:
			reason = self._refusal(recipient, left) or self._ask(previous.get(recipient.name), result)
			if not reason and keys[recipient.name] in taken:
				reason = _("Another record with the same address is on the campaign")
			if reason is _RESUMED:
				continue
			if reason:
				result.refused[reason] += 1
				continue
			taken.add(keys[recipient.name])
			accepted.append(recipient)
		return accepted

	def _find_left_list(self, recipients: list[Recipient]) -> set[str]:
		if not self.target_list:
			return set()
		pairs = find_left_lists([(self.target_list, recipient.email) for recipient in recipients])
		return {address for _list, address in pairs}

	def _preference(self, recipient: Recipient) -> Preference:
		return (
			self.preferences.get(normalise(recipient.email), NOTHING_SAID)
			if recipient.email
			else NOTHING_SAID
		)

	def _refusal(self, recipient: Recipient, left: set[str]) -> str | None:
		if not is_valid(recipient.email):
			return _("No valid e-mail address")
		if normalise(recipient.email) in left:
			return _("Has unsubscribed")
		return _(recipient.stopped_because).capitalize() if recipient.stopped_because else None

	def _ask(self, row: frappe._dict | None, result: BulkResult) -> str | None:
		"""Ask the campaign's rule about somebody who was on it before; one who may go on is taken up at once."""
		if row is None:
			return None
		if row.status in LIVE_VALUES:
			return _("Is on the campaign already")
		left_at = from_site(row.left_at) or self.now
		decision = re_enroll(self.plan, read_position(row, row.done), Status(row.status), left_at, self.now)
		if isinstance(decision, Refuse):
			return _(decision.reason).rstrip(".")
		if isinstance(decision, Resume):
			enroll.resume(frappe.get_doc("Drip Enrollment", row.name), self.now)
			result.resumed += 1
			return _RESUMED
		return None

	def _load_previous(self, names: Sequence[str]) -> dict[str, frappe._dict]:
		filters = {
			"campaign": self.campaign.name,
			"recipient_type": self.recipient_type,
			"recipient": ["in", names],
		}
		rows = frappe.get_all(
			"Drip Enrollment", filters=filters, fields=list(ENROLLMENT_FIELDS), order_by="creation"
		)
		dealt_with = load_dealt_with([row.name for row in rows])
		return {row.recipient: row.update(done=dealt_with[row.name]) for row in rows}

	def _insert(self, recipients: Sequence[Recipient], result: BulkResult) -> None:
		rows, events = [], []
		for recipient in recipients:
			row = self._row(recipient)
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
		record_events(events, to_site(self.now))
		result.enrolled += len(rows)

	def _row(self, recipient: Recipient) -> dict[str, Any]:
		user, site_now = frappe.session.user, to_site(self.now)
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
			"sender": self.sender,
			"target_list": self.target_list,
			"paused_at": None,
			"paused_until": None,
			**self._future(recipient),
			**resting_fields(self._preference(recipient), self.now),
			**self._keys(recipient),
		}

	def _future(self, recipient: Recipient) -> dict[str, Any]:
		"""What the schedule says is the same for everybody of one time zone."""
		zone = recipient.time_zone
		if zone not in self.by_zone:
			start = start_moment(self.start_date, self.campaign, zone, self.now)
			position = schedule.begin(start, zone)
			self.by_zone[zone] = {
				"status": first_status(self.campaign, start, self.now),
				**position_fields(position),
				**plan_fields(self.plan, position, self.subjects, None),
			}
		return self.by_zone[zone]

	def _keys(self, recipient: Recipient) -> dict[str, str]:
		return live_keys(self.campaign.name, self.recipient_type, recipient.name, recipient.email)


_RESUMED = "resumed"
