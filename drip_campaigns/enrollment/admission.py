"""Who may be enrolled, and from when: the rules that one record and a hundred thousand share. Reads only."""

from datetime import date, datetime

import frappe
from frappe import _
from frappe.utils import getdate

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import CampaignStatus, Status
from drip_campaigns.core.schedule.wall_clock import find_zone, start_of_day
from drip_campaigns.core.transitions import live_status
from drip_campaigns.people.addresses import is_valid, normalize
from drip_campaigns.people.exclusions import Exclusions
from drip_campaigns.people.opt_outs import find_opted_out, find_opted_out_lists
from drip_campaigns.people.preferences import apply_preference, load_preference
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.people.recipients import Recipient, load_recipients
from drip_campaigns.people.record_scope import filter_in_scope
from drip_campaigns.people.suppression import explain_suppression, find_suppressed
from drip_campaigns.plans.campaign_plan import make_plan
from drip_campaigns.site.clock import site_date

OUT_OF_SCOPE = "Outside what {0}, the owner of the campaign, may read or is assigned"


class EnrollmentRefusedError(DripError):
	"""This record cannot be enrolled in this campaign."""


def check_campaign(campaign) -> None:
	"""Raise EnrollmentRefusedError if nobody can be enrolled in a Drip Campaign document any more."""
	if campaign.status == CampaignStatus.ENDED.value:
		raise EnrollmentRefusedError(_("Campaign {0} has ended. Choose another one.").format(campaign.name))
	if campaign.closed_at:
		raise EnrollmentRefusedError(
			_("Campaign {0} is closed: those on board finish, and nobody new is enrolled.").format(
				campaign.name
			)
		)


def check_recipient(campaign: str, recipient_type: str, recipient: str) -> Recipient:
	"""Return the record as a recipient, or raise EnrollmentRefusedError saying which record, why, and what to do."""
	if recipient_type not in available_types():
		types = ", ".join(available_types())
		raise EnrollmentRefusedError(
			_("{0} records cannot be enrolled. Choose one of: {1}.").format(_(recipient_type), types)
		)
	found = load_recipients(recipient_type, [recipient]).get(recipient)
	if found is None:
		raise EnrollmentRefusedError(
			_("There is no {0} named {1}. Choose an existing record.").format(_(recipient_type), recipient)
		)
	record = f"{_(recipient_type)} {found.full_name or recipient}"
	if not found.email:
		raise EnrollmentRefusedError(
			_("{0} has no email address. Enter one in the record and enroll again.").format(record)
		)
	if not is_valid(found.email):
		raise EnrollmentRefusedError(
			_(
				"{0} has the email address “{1}”, which is not valid. Correct it in the record and enroll again."
			).format(record, found.email)
		)
	_check_consent(campaign, found, record)
	return apply_preference(found, load_preference(found.email))


def check_scope(campaign, recipient_type: str, recipient: str) -> None:
	"""Raise EnrollmentRefusedError if the owner of a Drip Campaign document may not read the record, nor is assigned."""
	if not filter_in_scope(campaign.owner, recipient_type, [recipient]):
		raise EnrollmentRefusedError(
			_(
				"{0} {1} is outside what {2}, the owner of campaign {3}, may read. Assign the record to {2} first."
			).format(_(recipient_type), recipient, campaign.owner, campaign.name)
		)


def _check_consent(campaign: str, recipient: Recipient, record: str) -> None:
	suppressed = find_suppressed([recipient.email]).get(normalize(recipient.email))
	if suppressed:
		raise EnrollmentRefusedError(
			_(
				"{0} {1}. If the recipient asks to come back, open the Drip Suppression of {2} and lift it."
			).format(record, explain_suppression(suppressed), recipient.email)
		)
	if recipient.stopped_because:
		raise EnrollmentRefusedError(
			_("{0} {1}, so it gets no campaign emails.").format(record, _(recipient.stopped_because))
		)
	if find_opted_out(campaign, [recipient.email]):
		raise EnrollmentRefusedError(
			_(
				"{0} has unsubscribed. Only the recipient can ask to come back; then delete the Email Unsubscribe of {1}."
			).format(record, recipient.email)
		)


def check_exclusions(campaign, recipient: Recipient) -> None:
	"""Raise EnrollmentRefusedError if a Drip Campaign document leaves this recipient out."""
	for reason in Exclusions.of(campaign).find([recipient]).values():
		raise EnrollmentRefusedError(
			_("{0}: {1}. Take it off the campaign's exclusions first.").format(
				f"{_(recipient.doctype)} {recipient.full_name or recipient.name}", reason
			)
		)


def check_list(target_list: str | None, recipient: Recipient) -> None:
	"""Raise EnrollmentRefusedError if the recipient has left the list through which they are to come."""
	if target_list and find_opted_out_lists([(target_list, recipient.email)]):
		raise EnrollmentRefusedError(
			_("{0} has left the list {1}. Only the recipient can ask to come back.").format(
				f"{_(recipient.doctype)} {recipient.full_name or recipient.name}", target_list
			)
		)


def start_moment(day: date, campaign, time_zone: str | None, now: datetime) -> datetime:
	"""Return when the steps start to count: now if the start is today, else the beginning of that day.

	Raises EnrollmentRefusedError for a day in the past or after the end of the campaign.
	"""
	today = site_date(now)
	if day < today:
		raise EnrollmentRefusedError(
			_("The start date {0} lies in the past. Choose today or a later day.").format(
				frappe.format(day, "Date")
			)
		)
	if campaign.end_date and day > getdate(campaign.end_date):
		raise EnrollmentRefusedError(
			_("The start date {0} lies after the end of campaign {1} ({2}). Choose an earlier day.").format(
				frappe.format(day, "Date"), campaign.name, frappe.format(campaign.end_date, "Date")
			)
		)
	return now if day == today else start_of_day(day, find_zone(time_zone or make_plan(campaign).timezone))


def first_status(campaign, start: datetime, now: datetime) -> str:
	"""Return the status of a new enrollment: nobody is in progress on a draft."""
	draft = campaign.status == CampaignStatus.DRAFT.value
	return (Status.SCHEDULED if draft else live_status(start, now)).value
