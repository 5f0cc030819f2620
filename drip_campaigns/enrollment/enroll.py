"""The verbs: enroll, pause, resume, remove, unsubscribe. Each checks, changes the enrollment and logs; none commits.

They work on Drip Enrollment documents, one at a time; who may call them is the business of the edge.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import getdate

from drip_campaigns.core import schedule
from drip_campaigns.core.confirmation import NEVER_CONFIRMED, Confirmation
from drip_campaigns.core.model import EventType, ExitReason, Refuse, Resume, Status
from drip_campaigns.core.reenrollment import re_enroll
from drip_campaigns.core.transitions import next_status
from drip_campaigns.dispatch import mail_store
from drip_campaigns.dispatch.options import release_after
from drip_campaigns.dispatch.store import record_events
from drip_campaigns.dispatch.withdraw import hold, release, withdraw
from drip_campaigns.enrollment.addresses import normalise, spellings
from drip_campaigns.enrollment.confirming import find_those_to_ask
from drip_campaigns.enrollment.plans import make_plan, step_subjects
from drip_campaigns.enrollment.recipients import Recipient
from drip_campaigns.enrollment.rules import (
	EnrollmentRefusedError,
	check_campaign,
	check_exclusions,
	check_list,
	check_recipient,
	check_scope,
	first_status,
	start_moment,
)
from drip_campaigns.enrollment.senders import choose_senders
from drip_campaigns.enrollment.state import (
	LIVE_VALUES,
	closing_fields,
	live_keys,
	plan_fields,
	position_fields,
	read_position,
	resting_fields,
	wait_on,
	waiting_fields,
	waits_for_confirmation,
)
from drip_campaigns.site_clock import from_site, site_date, to_site
from drip_campaigns.tracking.consent import record_left
from drip_campaigns.tracking.preferences import load_preference


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
	confirm by e-mail before anything else is sent; a campaign may ask for that by itself.
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
	previous = _find_previous(document)
	if previous and isinstance(_ask_rule(document, previous, now), Resume):
		previous.check_permission("write")
		resume(previous, now)
		return previous
	return document.insert()


def prepare(document, now: datetime) -> None:
	"""Fill a new enrollment's fields from its record and its campaign; raise EnrollmentRefusedError if it must not be."""
	campaign = frappe.get_doc("Drip Campaign", document.campaign)
	check_campaign(campaign)
	recipient = check_recipient(document.campaign, document.recipient_type, document.recipient)
	check_scope(campaign, document.recipient_type, document.recipient)
	check_exclusions(campaign, recipient)
	check_list(document.target_list, recipient)
	start = start_moment(getdate(document.start_date), campaign, recipient.time_zone, now)
	plan = make_plan(campaign)
	position = _first_position(document, plan, recipient, start, now)
	document.update(
		{
			"recipient_name": recipient.full_name or recipient.email,
			"email_address": recipient.email,
			"sender": choose_senders(campaign, [recipient], document.sender)[0],
			"status": first_status(campaign, start, now),
			**live_keys(document.campaign, document.recipient_type, document.recipient, recipient.email),
			**position_fields(position),
			**plan_fields(plan, position, step_subjects(campaign), None),
			**_waiting(document, campaign, recipient, now),
			**resting_fields(load_preference(recipient.email), now),
		}
	)


def _waiting(document, campaign, recipient: Recipient, now: datetime) -> dict[str, Any]:
	required = bool(document.require_confirmation)
	return waiting_fields(now) if find_those_to_ask(campaign, [recipient.email], required=required) else {}


def _first_position(document, plan, recipient: Recipient, start: datetime, now: datetime):
	"""Return where the enrollment begins; a record that was on the campaign before needs the campaign's leave."""
	previous = _find_previous(document)
	decision = _ask_rule(document, previous, now) if previous else None
	who = recipient.full_name or recipient.email
	if isinstance(decision, Refuse):
		raise EnrollmentRefusedError(
			_("{0} was on campaign {1} before. {2}").format(who, document.campaign, _(decision.reason))
		)
	if isinstance(decision, Resume):
		raise EnrollmentRefusedError(
			_(
				"{0} was on campaign {1} before. Open enrollment {2} and press Resume to go on where it stopped."
			).format(who, document.campaign, previous.name)
		)
	return schedule.begin(start, recipient.time_zone)


def _ask_rule(document, previous, now: datetime):
	plan = make_plan(frappe.get_doc("Drip Campaign", document.campaign))
	left_at = from_site(previous.left_at) or now
	position = read_position(previous.as_dict(), _done_steps(previous.name))
	return re_enroll(plan, position, Status(previous.status), left_at, now)


def _find_previous(document):
	filters = {
		"campaign": document.campaign,
		"recipient_type": document.recipient_type,
		"recipient": document.recipient,
		"status": ["not in", [Status.SCHEDULED.value, Status.IN_PROGRESS.value, Status.PAUSED.value]],
		"confirmation": ["not in", NEVER_CONFIRMED],  # who never confirmed was never on the campaign
	}
	names = frappe.get_all(
		"Drip Enrollment", filters=filters, order_by="creation desc", limit=1, pluck="name"
	)
	return frappe.get_doc("Drip Enrollment", names[0]) if names else None


def pause(document, now: datetime, *, until: datetime | None = None, because: str = "") -> None:
	"""Hold an enrollment, what is queued for it included; no step is lost.

	With `until` it goes on by itself then: the recipient asked, or it is for the cause that `because` names; without, a
	user lets it go on.
	"""
	_set(
		document,
		{
			"status": _status_after(document, EventType.PAUSED),
			"next_send_at": None,
			"paused_at": to_site(now),
			"paused_until": to_site(until),
		},
	)
	hold(mail_store.email_table().enrollment == document.name, now=now)
	asked = _("The recipient asked for a pause.") if until else None
	log(document, EventType.PAUSED, now, because or asked)


def resume(document, now: datetime, event: EventType | None = None) -> None:
	"""Let a paused enrollment go on, or take up one that ended: with the rest of the delay that was running.

	Raises InvalidTransitionError for one that unsubscribed or is going on already. Where the recipient has asked for a
	pause that lasts, one that was paused is refused, and one that ended is taken up and waits. `event` is Came Back for
	one who had unsubscribed and has asked to come back.
	"""
	came_back = document.status != Status.PAUSED.value
	event = event or (EventType.ENROLLED if came_back else EventType.RESUMED)
	_status_after(document, event)  # raises if it cannot happen
	_check_confirmation(document)
	recipient = check_recipient(document.campaign, document.recipient_type, document.recipient)
	check_list(document.target_list, recipient)
	resting = resting_fields(load_preference(recipient.email), now)
	if resting and not came_back:
		_refuse_while_resting(document, resting)
	_take_up(document, recipient, resting, came_back, now)
	release(mail_store.email_table().enrollment == document.name, now=now, release_after=release_after())
	log(document, event, now)


def _take_up(
	document, recipient: Recipient, resting: Mapping[str, Any], came_back: bool, now: datetime
) -> None:
	campaign = frappe.get_doc("Drip Campaign", document.campaign)
	check_exclusions(campaign, recipient)
	plan = make_plan(campaign)
	held_from = from_site(document.paused_at or document.left_at) or now
	position = schedule.shift(
		plan, read_position(document.as_dict(), _done_steps(document.name)), held_from, now
	)
	future = plan_fields(plan, position, step_subjects(campaign), now)
	if waits_for_confirmation(document.as_dict()):
		future = wait_on(document.as_dict(), held_from, now)
	elif not future["next_step"] and came_back:
		raise EnrollmentRefusedError(
			_("Nothing is left to send in campaign {0}. Add a step to it first.").format(document.campaign)
		)
	_set(
		document,
		{
			"status": first_status(campaign, position.start, now),
			**position_fields(position),
			**future,
			**live_keys(document.campaign, document.recipient_type, document.recipient, recipient.email),
			**_CLEARED,
			"email_address": recipient.email,
			**resting,
		},
	)


_CLEARED = {
	"paused_at": None,
	"paused_until": None,
	"left_at": None,
	"exit_reason": None,
	"attempts": 0,
	"last_error": None,
}


def _refuse_while_resting(document, resting: Mapping[str, Any]) -> None:
	raise EnrollmentRefusedError(
		_("{0} has asked for no e-mail until {1}. It goes on by itself then.").format(
			document.recipient_name, frappe.format(resting["paused_until"], "Datetime")
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
	_end(document, EventType.EXITED, now, ExitReason.REMOVED)


def unsubscribe(document, now: datetime) -> bool:
	"""The recipient leaves the campaign: recorded, every enrollment of the address ended, what is queued withdrawn.

	Return whether that was new; leaving twice is leaving once.
	"""
	was_new = document.status != Status.UNSUBSCRIBED.value
	if was_new:
		_end(document, EventType.UNSUBSCRIBED, now, None)
	end_live_of(document.email_address, document.campaign, now)
	record_left(document.campaign, document.email_address)
	return was_new


def end_live_of(address: str, campaign: str | None, now: datetime, reason: ExitReason | None = None) -> None:
	"""End the live enrollments of an address, in one campaign or in all: without a reason, because the person has left."""
	event = EventType.EXITED if reason else EventType.UNSUBSCRIBED
	for name in find_live_of(address, **({"campaign": campaign} if campaign else {})):
		_end_if_live(name, event, now, reason)


def end_through_list(address: str, target_list: str, now: datetime) -> None:
	"""Whoever has this address has left a list: end the live enrollments that came through it."""
	for name in find_live_of(address, target_list=target_list):
		_end_if_live(name, EventType.UNSUBSCRIBED, now, None)


def _end_if_live(name: str, event: EventType, now: datetime, reason: ExitReason | None) -> None:
	document = frappe.get_doc("Drip Enrollment", name, for_update=True)
	if document.status in LIVE_VALUES:  # not ended by somebody else meanwhile
		_end(document, event, now, reason)


def find_live_of(address: str, **filters: Any) -> list[str]:
	"""Return the names of the live enrollments of an address, whatever records they are of; always in the same order."""
	whose = {"email_address": ["in", spellings(address)], "status": ["in", list(LIVE_VALUES)]}
	rows = frappe.get_all(
		"Drip Enrollment", filters={**whose, **filters}, fields=["name", "email_address"], order_by="name"
	)
	# The database takes ü for u.
	return [row.name for row in rows if normalise(row.email_address) == normalise(address)]


def end(document, now: datetime, reason: ExitReason) -> None:
	"""End a live enrollment by a rule, with the reason."""
	_end(document, EventType.EXITED, now, reason)


def _end(document, event: EventType, now: datetime, reason: ExitReason | None) -> None:
	status = Status(_status_after(document, event))
	closing = closing_fields(status, now, reason)
	if document.paused_at:
		closing["left_at"] = (
			document.paused_at
		)  # the delay has stood still since; whoever comes back has the rest of it
	_set(document, closing)
	withdraw([document.name], reason.value if reason else Status.UNSUBSCRIBED.value, now)
	log(document, event, now, reason.value if reason else None)


def _status_after(document, event: EventType) -> str:
	return next_status(Status(document.status), event).value


def _set(document, values: Mapping[str, Any]) -> None:
	document.db_set(dict(values), notify=True)


def _done_steps(enrollment: str) -> list[str]:
	return frappe.get_all("Drip Email", filters={"enrollment": enrollment}, pluck="step")


def log(
	document, event: EventType, now: datetime, detail: str | None = None, mail: frappe._dict | None = None
) -> None:
	"""Write one line into the campaign's log about an enrollment, and about the e-mail if it concerns one."""
	line = {
		**({"drip_email": mail.name, "step": mail.step} if mail else {}),
		"event_type": event.value,
		"detail": detail,
		"campaign": document.campaign,
		"enrollment": document.name,
		"email_address": document.email_address,
	}
	record_events([line], to_site(now))
