"""Enroll records of one type: a handful of statements for a thousand, or one by its form. Nothing here commits.

Running it again enrolls only records that are not in the campaign yet, so a run that stopped is simply run again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import create_batch, getdate

from drip_campaigns.core.model import EventType, Position
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.db import doc_event_queue
from drip_campaigns.db.bulk_writes import insert_records, standard_values
from drip_campaigns.db.dialect import as_names
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.campaign_checks import (
	check_campaign,
	check_recipient_type,
	find_first_status,
	find_start,
)
from drip_campaigns.enrollment.changes import make_event
from drip_campaigns.enrollment.confirm import find_who_must_confirm
from drip_campaigns.enrollment.deleted_records import forget_replaced
from drip_campaigns.enrollment.eligibility import Eligibility, EligibilityResult
from drip_campaigns.enrollment.refusals import Refusal, VerbResult
from drip_campaigns.enrollment.resume import resume_enrollments
from drip_campaigns.enrollment.sender_choice import choose_senders
from drip_campaigns.people.addresses import normalize
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.people.row_rights import filter_rows
from drip_campaigns.plans.campaign_plan import step_subjects
from drip_campaigns.plans.enrollment_state import (
	live_keys,
	plan_fields,
	position_fields,
	recipient_pause_fields,
	waiting_fields,
)
from drip_campaigns.rendering.sender_rights import require_sender
from drip_campaigns.site.clock import site_date, to_site
from drip_campaigns.site.row_names import new_name

BATCH_SIZE = 1000


def enroll(
	campaign: str,
	recipient_type: str,
	recipient: str,
	now: datetime,
	*,
	start_date: date | None = None,
	sender: str | None = None,
	target_list: str | None = None,
	require_confirmation: bool = False,
):
	"""Enroll one record by its form and return its Drip Enrollment, with the rights of the session's user.

	A person whom the campaign's rule on re-enrollment resumes keeps the enrollment that ended. With
	`require_confirmation` the recipient must confirm by email before anything else is sent; a campaign can require
	that itself. Raises frappe.ValidationError with record, cause and remedy; nothing is written then.
	"""
	document = frappe.new_doc("Drip Enrollment")
	document.update(
		{
			"campaign": campaign,
			"recipient_type": recipient_type,
			"recipient": recipient,
			"start_date": start_date or site_date(now),
			"sender": sender,
			"target_list": target_list,
			"require_confirmation": int(require_confirmation),
		}
	)
	document.flags.now = now
	return document.insert()


def enroll_many(
	campaign: str,
	recipient_type: str,
	names: Iterable[str],
	now: datetime,
	*,
	batch_size: int = BATCH_SIZE,
	**options: Any,
) -> Iterator[VerbResult]:
	"""Enroll the records `names`, yielding each batch's result; the caller commits between two batches.

	`options` are those of Enroller. Only records that the session's user may read are enrolled. Raises what makes the
	whole run impossible: an unknown or ended campaign, a start date in the past.
	"""
	frappe.has_permission("Drip Enrollment", "create", throw=True)
	enroller = Enroller(campaign, recipient_type, now, **options)
	for batch in create_batch(list(names), batch_size):
		yield enroller.enroll(batch)


class Enroller:
	"""Enrolls records of one type in one campaign. `restarts`: people who were in it begin anew, whatever its rule says.

	Raises SenderRightError if the session's user may not send in the name of `sender`.
	"""

	def __init__(
		self,
		campaign: str,
		recipient_type: str,
		now: datetime,
		*,
		start_date: date | None = None,
		sender: str | None = None,
		target_list: str | None = None,
		require_confirmation: bool = False,
		restarts: bool = False,
	):
		require_sender(frappe.session.user, sender)
		self.campaign = frappe.get_doc("Drip Campaign", campaign)
		check_campaign(self.campaign)
		check_recipient_type(recipient_type)
		self.recipient_type, self.now = recipient_type, now
		self.eligibility = Eligibility(self.campaign, recipient_type, now, target_list, restarts=restarts)
		self.plan, self.subjects = self.eligibility.plan, step_subjects(self.campaign)
		self.start_date = getdate(start_date) if start_date else site_date(now)
		self.sender, self.target_list = sender, target_list
		self.require_confirmation = bool(
			require_confirmation
		)  # a user without the permission level sends None
		self._by_zone: dict[str | None, tuple[Position, dict[str, Any]]] = {}

	def enroll(self, names: Sequence[str]) -> VerbResult:
		"""Enroll or resume one batch of records."""
		names = as_names(names)
		forget_replaced(self.recipient_type, names, self.now)
		judged = self.eligibility.judge(names)
		result = VerbResult(refusals={one.name: one.refusal for one in judged if one.refusal})
		self._resume([one for one in judged if one.resumes], result)
		self._insert([one for one in judged if one.is_new], result)
		return result

	def judge(self, name: str) -> EligibilityResult:
		"""Return whether one record may be enrolled, which the caller does at once."""
		names = as_names([name])
		forget_replaced(self.recipient_type, names, self.now)
		return self.eligibility.judge(names)[0]

	def make_fields(self, judged: Sequence[EligibilityResult]) -> list[dict[str, Any]]:
		"""Return the fields of the new enrollments of accepted records."""
		recipients = [one.recipient for one in judged]
		addresses = [recipient.email for recipient in recipients]
		waiting = find_who_must_confirm(self.campaign, addresses, required=self.require_confirmation)
		senders = choose_senders(self.campaign, recipients, self.sender)
		return [
			self._make_row(one, sender, waits=normalize(one.recipient.email) in waiting)
			for one, sender in zip(judged, senders, strict=True)
		]

	def _resume(self, judged: Sequence[EligibilityResult], result: VerbResult) -> None:
		if not judged:
			return
		records = {one.resumes.name: one.name for one in judged}  # it may be of another record of the person
		allowed = set(filter_rows("Drip Enrollment", list(records), changes=True))
		resumed = resume_enrollments([name for name in records if name in allowed], self.now)
		result.add(VerbResult(resumed.done, resumed.done))
		result.refusals |= {records[name]: refusal for name, refusal in resumed.refusals.items()}
		forbidden = [one for one in judged if one.resumes.name not in allowed]
		result.refusals |= {one.name: _refuse_resuming(one.name) for one in forbidden}

	def _insert(self, judged: Sequence[EligibilityResult], result: VerbResult) -> None:
		site_now = to_site(self.now)
		standard = standard_values(frappe.session.user, site_now)
		rows = [{**fields, **standard, "name": new_name()} for fields in self.make_fields(judged)]
		insert_records("Drip Enrollment", rows)
		doc_event_queue.record_inserts("Drip Enrollment", [row["name"] for row in rows])
		record_events([make_event(row, EventType.ENROLLED) for row in rows], site_now)
		result.done += len(rows)

	def _make_row(self, one: EligibilityResult, sender: str, *, waits: bool) -> dict[str, Any]:
		recipient = one.recipient
		position, future = self._plan_future(recipient)
		return {
			"campaign": self.campaign.name,
			"recipient_type": self.recipient_type,
			"recipient": recipient.name,
			"recipient_name": recipient.full_name or recipient.email,
			"recipient_created_at": recipient.fields.get("creation"),
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
			**recipient_pause_fields(one.preference, self.plan, position, self.now),
			**live_keys(self.campaign.name, self.recipient_type, recipient.name, recipient.email),
		}

	def _plan_future(self, recipient: Recipient) -> tuple[Position, Mapping[str, Any]]:
		"""Return what the schedule says; it is the same for everyone in one time zone."""
		zone = recipient.time_zone
		if zone not in self._by_zone:
			start = find_start(self.start_date, self.campaign, zone, self.now)
			position = due_steps.begin(start, zone)
			future = {
				"status": find_first_status(self.campaign, start, self.now),
				**position_fields(position),
				**plan_fields(self.plan, position, self.subjects, None),
			}
			self._by_zone[zone] = position, future
		return self._by_zone[zone]


def _refuse_resuming(record: str) -> Refusal:
	cause = _("was in the campaign before, and you may not change that enrollment")
	return Refusal("rights", cause, _("Ask the owner of the campaign."), record)
