"""The verbs: enroll, pause, resume, remove, unsubscribe. Each checks, changes the enrollment and logs; none commits.

They work on Drip Enrollment documents, one at a time; who may call them is the business of the edge. What a new one
holds is in `prepare.py`, what an end does in `ending.py`.
"""

from datetime import date, datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.model import CampaignStatus, EventType, ExitReason, Resume, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.core.schedule.confirmation import Confirmation
from drip_campaigns.enrollment.admission import (
	EnrollmentRefusedError,
	check_campaign,
	check_exclusions,
	check_list,
	check_recipient,
	first_status,
)
from drip_campaigns.enrollment.changes import done_steps, log, set_fields, status_after
from drip_campaigns.enrollment.exit import exit_all_of_address, exit_enrollment
from drip_campaigns.enrollment.prepare import ask_rule, find_previous
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.cancel import pause_queued, resume_queued
from drip_campaigns.people.opt_outs import record_opt_out
from drip_campaigns.people.preferences import Preference, load_preference
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_rows import find_taken_keys
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
from drip_campaigns.site.clock import from_site, site_date, to_site
from drip_campaigns.site.settings import release_after


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
	"""Enroll one record and return its Drip Enrollment, inserted with the rights of the session's user.

	Raises EnrollmentRefusedError or frappe's own errors; nothing is written then. Somebody who left before is
	taken up again in the same enrollment, if the campaign says so. With `require_confirmation` the recipient must
	confirm by email before anything else is sent; a campaign may ask for that by itself.
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
	previous = find_previous(document)
	if previous and isinstance(ask_rule(document, previous, now), Resume):
		previous.check_permission("write")
		resume(previous, now)
		return previous
	return document.insert()


def pause(
	document,
	now: datetime,
	*,
	until: datetime | None = None,
	because: str = "",
	by_recipient: bool = False,
) -> None:
	"""Hold an enrollment, what is queued for it included; no step is lost.

	With `until` it goes on by itself then; without, a user lets it go on. Where it rests because its recipient asked for
	that, this pause is kept beside it, and the later end counts.
	"""
	own = {} if by_recipient else {"own_paused_until": to_site(until)}
	if is_paused_by_recipient(document, now):
		until = until and max(until, from_site(document.paused_until))
		set_fields(document, {**move_pause(document, until, now), **own})
	else:
		held = {"next_send_at": None, "paused_at": to_site(now), **move_pause(document, until, now)}
		own = own or {"own_paused_until": None}
		set_fields(document, {"status": status_after(document, EventType.PAUSED), **held, **own})
		pause_queued(emails.email_table().enrollment == document.name, now=now)
	asked = _("The recipient asked for a pause.") if by_recipient else None
	log(document, EventType.PAUSED, now, because or asked)


def move_pause(document, until: datetime | None, now: datetime) -> dict[str, Any]:
	"""Return the fields of a pause that ends at `until`: the schedule moves with it."""
	if waits_for_confirmation(document.as_dict()):
		return {"paused_until": to_site(until)}
	plan = make_plan(frappe.get_doc("Drip Campaign", document.campaign))
	position = read_position(document.as_dict(), done_steps(document.name))
	held_from = from_site(document.paused_at) or now
	return {"paused_until": to_site(until), **end_date_while_paused(plan, position, held_from, until, now)}


def resume(document, now: datetime, event: EventType | None = None) -> None:
	"""Let a paused enrollment go on, or take up one that ended: with the rest of the delay that was running.

	Raises InvalidTransitionError for one that unsubscribed or is going on already. Where the recipient has asked for a
	pause that lasts, one that was paused is refused, and one that ended is taken up and waits. `event` is Came Back for
	one who had unsubscribed and has asked to come back.
	"""
	came_back = document.status != Status.PAUSED.value
	event = event or (EventType.ENROLLED if came_back else EventType.RESUMED)
	status_after(document, event)  # raises if it cannot happen
	_check_confirmation(document)
	_check_campaign(document, event)
	recipient = check_recipient(document.campaign, document.recipient_type, document.recipient)
	check_list(document.target_list, recipient)
	_check_place(document, recipient)
	preference = load_preference(recipient.email)
	if preference.rests_at(now) and not came_back:
		_leave_to_recipient(document, preference, now)
		return
	if document.status == Status.UNSUBSCRIBED.value and document.paused_at:
		_go_on_resting(document, recipient, now)
	else:
		_take_up(document, recipient, preference, came_back, now)
	resume_queued(emails.email_table().enrollment == document.name, now=now, release_after=release_after())
	log(document, event, now)


def _go_on_resting(document, recipient: Recipient, now: datetime) -> None:
	"""Who left during a pause and comes back is paused as before."""
	campaign = frappe.get_doc("Drip Campaign", document.campaign)
	check_exclusions(campaign, recipient)
	plan, position = make_plan(campaign), read_position(document.as_dict(), done_steps(document.name))
	kept = {field: document.get(field) for field in ("paused_at", "paused_until", "own_paused_until")}
	future = plan_fields(plan, position, step_subjects(campaign), now)
	if waits_for_confirmation(document.as_dict()):
		future = {}
	until, held_from = from_site(document.paused_until), from_site(document.paused_at)
	set_fields(
		document,
		{
			**future,
			**end_date_while_paused(plan, position, held_from, until, now),
			**live_keys(document.campaign, document.recipient_type, document.recipient, recipient.email),
			**_CLEARED,
			**kept,
			"email_address": recipient.email,
			"status": Status.PAUSED.value,
			"next_send_at": None,
		},
	)


def _take_up(document, recipient: Recipient, preference: Preference, came_back: bool, now: datetime) -> None:
	campaign = frappe.get_doc("Drip Campaign", document.campaign)
	check_exclusions(campaign, recipient)
	plan = make_plan(campaign)
	held_from = from_site(document.paused_at or document.ended_at) or now
	position = due_steps.shift(
		plan, read_position(document.as_dict(), done_steps(document.name)), held_from, now
	)
	future = plan_fields(plan, position, step_subjects(campaign), now)
	if waits_for_confirmation(document.as_dict()):
		future = wait_on(document.as_dict(), held_from, now)
	elif not future["next_step"] and came_back:
		raise EnrollmentRefusedError(
			_("Nothing is left to send in campaign {0}. Add a step to it first.").format(document.campaign)
		)
	set_fields(
		document,
		{
			"status": first_status(campaign, position.start, now),
			**position_fields(position),
			**future,
			**live_keys(document.campaign, document.recipient_type, document.recipient, recipient.email),
			**_CLEARED,
			"email_address": recipient.email,
			**recipient_pause_fields(preference, plan, position, now),
		},
	)


_CLEARED = {
	"paused_at": None,
	"paused_until": None,
	"own_paused_until": None,
	"ended_at": None,
	"exit_reason": None,
	"attempts": 0,
	"last_error": None,
}


def _leave_to_recipient(document, preference: Preference, now: datetime) -> None:
	"""End the enrollment's own pause: the recipient's lasts. Raises EnrollmentRefusedError where there is no other."""
	sentence = _("{0} has asked for no email until {1}. It goes on by itself then.").format(
		document.recipient_name, frappe.format(to_site(preference.paused_until), "Datetime")
	)
	if is_paused_by_recipient(document, now):
		raise EnrollmentRefusedError(sentence)
	set_fields(document, {**move_pause(document, preference.paused_until, now), "own_paused_until": None})
	log(document, EventType.PAUSED, now, sentence)


def _check_campaign(document, event: EventType) -> None:
	"""Raise EnrollmentRefusedError where nobody is taken up any more; a closed campaign takes back who has left it."""
	campaign = frappe.get_cached_doc("Drip Campaign", document.campaign)
	if event is EventType.ENROLLED or campaign.status == CampaignStatus.ENDED.value:
		check_campaign(campaign)


def _check_place(document, recipient: Recipient) -> None:
	"""Raise EnrollmentRefusedError if the person is live in another enrollment of the campaign: who started over is."""
	keys = live_keys(document.campaign, document.recipient_type, document.recipient, recipient.email)
	for column, key in keys.items():
		if document.get(column) != key and find_taken_keys([key], column):
			raise EnrollmentRefusedError(
				_("{0} ({1}) is on campaign {2} already. Open that enrollment instead.").format(
					document.recipient_name, recipient.email, document.campaign
				)
			)


def _check_confirmation(document) -> None:
	if document.confirmation == Confirmation.EXPIRED.value:
		raise EnrollmentRefusedError(
			_("{0} did not confirm in time. Enroll the recipient again to ask anew.").format(
				document.recipient_name
			)
		)


def remove(document, now: datetime) -> None:
	"""Take somebody off the campaign; what is queued is withdrawn. Their place is remembered."""
	exit_enrollment(document, now, ExitReason.REMOVED)


def unsubscribe(document, now: datetime) -> bool:
	"""The recipient leaves the campaign: recorded, every enrollment of the address ended, what is queued withdrawn.

	Return whether that was new; leaving twice is leaving once.
	"""
	was_new = document.status != Status.UNSUBSCRIBED.value
	if was_new:
		exit_enrollment(document, now, None, EventType.UNSUBSCRIBED)
	exit_all_of_address(document.email_address, document.campaign, now)
	record_opt_out(document.campaign, document.email_address)
	return was_new
