"""What a new Drip Enrollment holds: its fields from record, campaign and schedule, and whether it may be. Writes nothing."""

from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import getdate

from drip_campaigns.core.model import Refuse, Resume, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.core.schedule.confirmation import NEVER_CONFIRMED
from drip_campaigns.core.schedule.reenrollment import re_enroll
from drip_campaigns.enrollment.admission import (
	EnrollmentRefusedError,
	check_campaign,
	check_exclusions,
	check_list,
	check_recipient,
	check_scope,
	first_status,
	start_moment,
)
from drip_campaigns.enrollment.changes import done_steps
from drip_campaigns.enrollment.confirm import find_who_must_confirm
from drip_campaigns.enrollment.sender_choice import choose_senders
from drip_campaigns.people.preferences import load_preference
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_state import (
	live_keys,
	plan_fields,
	position_fields,
	read_position,
	recipient_pause_fields,
	waiting_fields,
)
from drip_campaigns.site.clock import from_site


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
			**recipient_pause_fields(load_preference(recipient.email), plan, position, now),
		}
	)


def _waiting(document, campaign, recipient: Recipient, now: datetime) -> dict[str, Any]:
	required = bool(document.require_confirmation)
	return (
		waiting_fields(now) if find_who_must_confirm(campaign, [recipient.email], required=required) else {}
	)


def _first_position(document, plan, recipient: Recipient, start: datetime, now: datetime):
	"""Return where the enrollment begins; a record that was on the campaign before needs the campaign's leave."""
	previous = find_previous(document)
	decision = ask_rule(document, previous, now) if previous else None
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
	return due_steps.begin(start, recipient.time_zone)


def ask_rule(document, previous, now: datetime):
	"""Return what the campaign's rule on re-enrollment says about one who was on it before."""
	plan = make_plan(frappe.get_doc("Drip Campaign", document.campaign))
	ended_at = from_site(previous.ended_at) or now
	position = read_position(previous.as_dict(), done_steps(previous.name))
	return re_enroll(plan, position, Status(previous.status), ended_at, now)


def find_previous(document):
	"""Return the latest enrollment of the same record on the same campaign that is over; None if there is none."""
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
