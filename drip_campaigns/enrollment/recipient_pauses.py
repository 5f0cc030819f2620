"""A pause that a recipient asks for: everything of one address rests until a day, and goes on by itself. None commits.

It is kept with the address (`tracking/preferences.py`), so that whoever is enrolled meanwhile waits as well.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import EventType, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment import enroll
from drip_campaigns.enrollment.admission import first_status
from drip_campaigns.enrollment.changes import set_fields
from drip_campaigns.enrollment.exit import find_live_of
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.cancel import resume_queued
from drip_campaigns.people.preferences import save_preference
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_rows import claim_ended_pauses, load_handled_steps, update_enrollments
from drip_campaigns.plans.enrollment_state import (
	own_pause_end,
	plan_fields,
	position_fields,
	read_position,
	wait_on,
	waits_for_confirmation,
)
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.settings import release_after

BATCH_SIZE = 500


def pause_address(address: str, until: datetime, now: datetime) -> None:
	"""Let every live enrollment of `address` rest until then, what is queued included, and new ones wait as well.

	One that a user has paused stays paused by the user: the later of two days counts. Asking again moves the day.
	"""
	save_preference(address, paused_until=to_site(until))
	for enrollment in _enrollments_of(address):
		if enrollment.status != Status.PAUSED.value:
			enroll.pause(enrollment, now, until=until, by_recipient=True)
		elif enrollment.paused_until:
			later = max(until, own_pause_end(enrollment, now) or until)
			set_fields(enrollment, enroll.move_pause(enrollment, later, now))


def end_pause(address: str, now: datetime) -> None:
	"""Let everything of `address` go on with the next dispatch, with the rest of the delay that was running.

	What a user has paused stays so, until the user's day.
	"""
	save_preference(address, paused_until=None)
	for enrollment in _enrollments_of(address):
		if enrollment.paused_until:
			until = own_pause_end(enrollment, now) or now
			set_fields(enrollment, enroll.move_pause(enrollment, until, now))


def _enrollments_of(address: str) -> list:
	return [frappe.get_doc("Drip Enrollment", name) for name in find_live_of(address)]


def resume_ended_pauses(name: str, now: datetime) -> Iterator[int]:
	"""Let those on a campaign go on whose pause is over, in batches, yielding after each how many, so that the caller can commit.

	For active campaigns: where one stands still, the rest of a delay is worked out when it goes on.
	"""
	campaign = frappe.get_doc("Drip Campaign", name)
	while rows := claim_ended_pauses(name, to_site(now), BATCH_SIZE):
		_resume_batch(campaign, rows, now)
		yield len(rows)


def _resume_batch(campaign, rows: Sequence[frappe._dict], now: datetime) -> None:
	plan, subjects = make_plan(campaign), step_subjects(campaign)
	dealt_with = load_handled_steps([row.name for row in rows])
	states, log = [], defaultdict(list)
	for row in rows:
		try:
			position = due_steps.shift(
				plan, read_position(row, dealt_with[row.name]), from_site(row.paused_at), now
			)
			future = {**position_fields(position), **plan_fields(plan, position, subjects, now)}
			status = first_status(campaign, position.start, now)
			if waits_for_confirmation(row):
				future = wait_on(row, from_site(row.paused_at), now)
				status = future["status"]
			states.append({**row, **future, **_awake(status)})
			log[EventType.RESUMED].append(row)
		except DripError as error:  # it stays paused, until somebody has mended the record
			states.append({**row, "paused_until": None, "last_error": str(error)})
	update_enrollments(states, to_site(now))
	record_events([_event(kind, row) for kind, those in log.items() for row in those], to_site(now))
	email = emails.email_table()
	resumed = [row.name for row in log[EventType.RESUMED]]
	if resumed:
		resume_queued(email.enrollment.isin(resumed), now=now, release_after=release_after())


def _awake(status: str) -> dict[str, Any]:
	return {"status": status, "paused_at": None, "paused_until": None, "attempts": 0, "last_error": None}


def _event(kind: EventType, row: Mapping[str, Any]) -> dict[str, Any]:
	return {
		"event_type": kind.value,
		"detail": _("The pause is over."),
		"campaign": row["campaign"],
		"enrollment": row["name"],
		"email_address": row["email_address"],
	}
