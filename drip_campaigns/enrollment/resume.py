"""Resume enrollments, in batches: paused ones, ones whose pause is over, and ones that ended. Nothing here commits."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import CampaignStatus, EventType, Position, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.core.schedule.confirmation import Confirmation
from drip_campaigns.core.transitions import can_happen
from drip_campaigns.db.dialect import is_among, select_in
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.campaign_checks import check_campaign, find_first_status
from drip_campaigns.enrollment.changes import lock_enrollments, make_event, refuse_status, write_states
from drip_campaigns.enrollment.eligibility import (
	DUPLICATE,
	BatchFacts,
	find_refusal_later,
	make_enrolled_candidate,
)
from drip_campaigns.enrollment.pause import pause_fields
from drip_campaigns.enrollment.refusals import Refusal, VerbResult
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.cancel import resume_queued
from drip_campaigns.people.recipients import Recipient, load_enrolled
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_rows import (
	ENROLLMENT_FIELDS,
	claim_ended_pauses,
	find_taken_keys,
	load_handled_steps,
	update_enrollments,
)
from drip_campaigns.plans.enrollment_state import (
	end_date_while_paused,
	is_paused_by_recipient,
	live_keys,
	plan_fields,
	position_fields,
	read_position,
	recipient_pause_fields,
	wait_on,
	waits_for_confirmation,
)
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.settings import release_after

BATCH_SIZE = 500
_CLEARED = {
	"paused_at": None,
	"paused_until": None,
	"own_paused_until": None,
	"ended_at": None,
	"exit_reason": None,
	"attempts": 0,
	"last_error": None,
}


def resume_enrollments(
	names: Sequence[str], now: datetime, *, event: EventType | None = None, detail: str | None = None
) -> VerbResult:
	"""Resume paused enrollments, and ones that ended, with the rest of the delay that was running.

	Refuses whom the rules of eligibility refuse, and whoever is in the campaign already. While a pause lasts that the
	recipient asked for, a paused enrollment keeps that pause, and an ended one continues and waits. `event` is
	Resubscribed for people who had unsubscribed and asked to come back.
	"""
	result, groups = VerbResult(), defaultdict(list)
	for row in lock_enrollments(names):
		groups[row.campaign].append(row)
	for campaign, rows in groups.items():
		result.add(_CampaignResume(frappe.get_doc("Drip Campaign", campaign), rows, now, event).run(detail))
	return result


def count_resumable(campaign, names: Sequence[str], now: datetime) -> int:
	"""Return how many of these enrollments of a Drip Campaign document `resume_enrollments` would resume. Reads only."""
	fields = (*ENROLLMENT_FIELDS, "own_paused_until")
	rows = sorted(select_in("Drip Enrollment", fields, "name", names), key=lambda row: row.name)
	return _CampaignResume(campaign, rows, now).count() if rows else 0


def resume_ended_pauses(campaign: str, now: datetime) -> Iterator[int]:
	"""Resume the enrollments of an active campaign whose pause is over, batch by batch.

	Yields the size of each batch, so that the caller can commit. Who may still get email is checked before each email.
	"""
	document = frappe.get_doc("Drip Campaign", campaign)
	while rows := claim_ended_pauses(campaign, to_site(now), BATCH_SIZE):
		_CampaignResume(document, rows, now).end_pauses()
		yield len(rows)


def _record_key(row: frappe._dict) -> str:
	keys = live_keys(row.campaign, row.recipient_type, row.recipient, row.email_address)
	return keys["live_recipient"]


class _CampaignResume:
	"""The enrollments of one campaign that are resumed together."""

	def __init__(
		self, campaign, rows: Sequence[frappe._dict], now: datetime, event: EventType | None = None
	) -> None:
		self.campaign, self.rows, self.now, self.event = campaign, rows, now, event
		self.plan, self.subjects = make_plan(campaign), step_subjects(campaign)
		self.handled = load_handled_steps([row.name for row in rows])

	@cached_property
	def recipients(self) -> Mapping[tuple[str, str], Recipient]:
		return load_enrolled(self.rows)

	@cached_property
	def facts(self) -> BatchFacts:
		candidates = [make_enrolled_candidate(row, self._recipient_of(row)) for row in self.rows]
		return BatchFacts(self.campaign, candidates)

	@cached_property
	def live_records(self) -> set[str]:
		return find_taken_keys([_record_key(row) for row in self.rows], "live_recipient")

	def run(self, detail: str | None) -> VerbResult:
		result, states, events, resumed = VerbResult(), [], [], []
		for row, candidate in zip(self.rows, self.facts.candidates, strict=True):
			try:
				refusal = self._find_refusal(row, candidate)
				kept = None if refusal else self._keep_recipient_pause(row)
				if refusal is None and kept is None:
					states.append({**row, **self._resume(row)})
					events.append(make_event(states[-1], self._event_of(row), detail))
					resumed.append(row.name)
			except DripError as error:  # a time zone that is not known
				refusal = Refusal("error", str(error).rstrip("."), record=row.recipient_name)
			if refusal:
				result.refusals[row.name] = refusal
				continue
			if kept:
				states.append({**row, **kept})
				events.append(make_event(row, EventType.PAUSED, self._describe_pause(row).explanation))
			self.facts.accept(candidate)
			self.live_records.add(_record_key(row))
			result.done += 1
		write_states(states, self.now)
		self._release(resumed)
		record_events(events, to_site(self.now))
		return result

	def count(self) -> int:
		accepted = 0
		for row, candidate in zip(self.rows, self.facts.candidates, strict=True):
			if self._find_refusal(row, candidate) is None:
				self.facts.accept(candidate)
				self.live_records.add(_record_key(row))
				accepted += 1
		return accepted

	def end_pauses(self) -> None:
		states, resumed = [], []
		for row in self.rows:
			try:
				states.append({**row, **_CLEARED, **self._continue(row, self._shift(row))})
				resumed.append(row)
			except DripError as error:  # it stays paused until the record is corrected
				states.append({**row, "paused_until": None, "last_error": str(error)})
		update_enrollments(states, to_site(self.now))
		self._release([row.name for row in resumed])
		detail = _("The pause is over.")
		record_events([make_event(row, EventType.RESUMED, detail) for row in resumed], to_site(self.now))

	def _release(self, names: Sequence[str]) -> None:
		"""Queue again what was paused in the queue."""
		if names:
			among = is_among(emails.email_table().enrollment, names)
			resume_queued(among, now=self.now, release_after=release_after())

	def _recipient_of(self, row: frappe._dict):
		return self.recipients.get((row.recipient_type, row.recipient))

	def _preference_of(self, row: frappe._dict):
		return self.facts.find_preference(self._recipient_of(row).email)

	def _event_of(self, row: frappe._dict) -> EventType:
		is_paused = row.status == Status.PAUSED.value
		return self.event or (EventType.RESUMED if is_paused else EventType.ENROLLED)

	def _find_refusal(self, row: frappe._dict, candidate) -> Refusal | None:
		event = self._event_of(row)
		if not can_happen(Status(row.status), event):
			return refuse_status(row)
		if row.confirmation == Confirmation.EXPIRED.value:
			remedy = _("Enroll the recipient again to ask for a new confirmation.")
			return Refusal("confirmation", _("did not confirm in time"), remedy, row.recipient_name)
		if refusal := self._refuse_campaign(row, event):
			return refusal
		refusal = find_refusal_later(self.facts, candidate)
		is_enrolled = row.live_recipient != _record_key(row) and _record_key(row) in self.live_records
		if is_enrolled and (refusal is None or refusal.rule == DUPLICATE.name):
			cause, remedy = _("is already in the campaign"), _("Open that enrollment instead.")
			return Refusal("enrolled", cause, remedy, candidate.label)
		if refusal:
			return refusal
		if is_paused_by_recipient(row, self.now) and self._preference_of(row).is_paused_at(self.now):
			return self._describe_pause(row)
		return self._refuse_without_steps(row)

	def _refuse_campaign(self, row: frappe._dict, event: EventType) -> Refusal | None:
		"""A closed campaign still accepts people who unsubscribed and come back; an ended one accepts nobody."""
		if event is not EventType.ENROLLED and self.campaign.status != CampaignStatus.ENDED.value:
			return None
		try:
			check_campaign(self.campaign)
		except DripError as error:
			return Refusal("campaign", str(error).rstrip("."))
		return None

	def _refuse_without_steps(self, row: frappe._dict) -> Refusal | None:
		if row.status == Status.PAUSED.value or waits_for_confirmation(row):
			return None
		if row.status == Status.UNSUBSCRIBED.value and row.paused_at:
			return None
		if due_steps.find_next(self.plan, self._shift(row)) is not None:
			return None
		cause = _("has received every step of campaign {0}").format(row.campaign)
		return Refusal("steps", cause, _("Add a step to the campaign first."), row.recipient_name)

	def _describe_pause(self, row: frappe._dict) -> Refusal:
		until = frappe.format(to_site(self._preference_of(row).paused_until), "Datetime")
		cause = _("has asked for no email until {0}").format(until)
		return Refusal("recipient_pause", cause, _("The enrollment resumes then."), row.recipient_name)

	def _keep_recipient_pause(self, row: frappe._dict) -> dict[str, Any] | None:
		"""Return the fields of an enrollment whose own pause ends while its recipient's lasts."""
		preference = self._preference_of(row)
		if row.status != Status.PAUSED.value or not preference.is_paused_at(self.now):
			return None
		position = read_position(row, self.handled[row.name])
		paused = pause_fields(row, self.plan, position, preference.paused_until, self.now)
		return {**paused, "own_paused_until": None}

	def _shift(self, row: frappe._dict) -> Position:
		held_from = from_site(row.paused_at or row.ended_at) or self.now
		return due_steps.shift(self.plan, read_position(row, self.handled[row.name]), held_from, self.now)

	def _resume(self, row: frappe._dict) -> dict[str, Any]:
		recipient = self._recipient_of(row)
		keys = live_keys(row.campaign, row.recipient_type, row.recipient, recipient.email)
		if row.status == Status.UNSUBSCRIBED.value and row.paused_at:
			future = self._stay_paused(row)
		else:
			position = self._shift(row)
			pause = recipient_pause_fields(self._preference_of(row), self.plan, position, self.now)
			future = {**self._continue(row, position), **pause}
		return {**_CLEARED, **future, **keys, "email_address": recipient.email}

	def _stay_paused(self, row: frappe._dict) -> dict[str, Any]:
		"""A person who unsubscribed during a pause and comes back is paused as before."""
		position = read_position(row, self.handled[row.name])
		future = (
			{} if waits_for_confirmation(row) else plan_fields(self.plan, position, self.subjects, self.now)
		)
		until, held_from = from_site(row.paused_until), from_site(row.paused_at)
		return {
			**future,
			**end_date_while_paused(self.plan, position, held_from, until, self.now),
			**{field: row[field] for field in ("paused_at", "paused_until", "own_paused_until")},
			"status": Status.PAUSED.value,
			"next_send_at": None,
		}

	def _continue(self, row: frappe._dict, position: Position) -> dict[str, Any]:
		if waits_for_confirmation(row):
			future = wait_on(row, from_site(row.paused_at or row.ended_at) or self.now, self.now)
		else:
			future = plan_fields(self.plan, position, self.subjects, self.now)
		status = find_first_status(self.campaign, position.start, self.now)
		return {"status": status, **position_fields(position), **future}
