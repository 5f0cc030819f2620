"""What a campaign itself allows: which records, whether it is open, and when an enrollment starts. Reads only."""

from datetime import date, datetime

import frappe
from frappe import _
from frappe.utils import getdate

from drip_campaigns.core.model import CampaignStatus, Status
from drip_campaigns.core.schedule.wall_clock import find_zone, start_of_day
from drip_campaigns.core.transitions import live_status
from drip_campaigns.enrollment.refusals import EnrollmentRefusedError
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.plans.campaign_plan import make_plan
from drip_campaigns.site.clock import site_date


def check_recipient_type(recipient_type: str) -> None:
	"""Raise EnrollmentRefusedError if records of this DocType cannot be enrolled."""
	if recipient_type not in available_types():
		message = _("{0} records cannot be enrolled. Choose one of: {1}.")
		raise EnrollmentRefusedError(message.format(_(recipient_type), ", ".join(available_types())))


def check_campaign(campaign) -> None:
	"""Raise EnrollmentRefusedError if a Drip Campaign document accepts no new enrollments."""
	check_not_closed(campaign)
	if takes_no_one_new(campaign):
		message = _("Campaign {0} is paused and takes no one new. Resume it, or choose another one.")
		raise EnrollmentRefusedError(message.format(campaign.name))


def takes_no_one_new(campaign) -> bool:
	"""Say whether a campaign, given as a document or a row, is paused with the choice to take no one new."""
	return campaign.status == CampaignStatus.PAUSED.value and bool(campaign.take_no_one_new)


def check_not_closed(campaign) -> None:
	"""Raise EnrollmentRefusedError if a campaign has ended or is closed."""
	if campaign.status == CampaignStatus.ENDED.value:
		raise EnrollmentRefusedError(_("Campaign {0} has ended. Choose another one.").format(campaign.name))
	if campaign.closed_at:
		message = _(
			"Campaign {0} is closed: people in it finish, and nobody new is enrolled. Reopen it, or choose another one."
		)
		raise EnrollmentRefusedError(message.format(campaign.name))


def find_start(day: date, campaign, time_zone: str | None, now: datetime) -> datetime:
	"""Return the moment (UTC) from which the steps count: `now` if the start is today, else the beginning of that day.

	Raises EnrollmentRefusedError for a day in the past or after the end of the campaign.
	"""
	today = site_date(now)
	if day < today:
		raise EnrollmentRefusedError(
			_("The start date {0} is in the past. Choose today or a later day.").format(
				frappe.format(day, "Date")
			)
		)
	if campaign.end_date and day > getdate(campaign.end_date):
		raise EnrollmentRefusedError(
			_("The start date {0} is after the end of campaign {1} ({2}). Choose an earlier day.").format(
				frappe.format(day, "Date"), campaign.name, frappe.format(campaign.end_date, "Date")
			)
		)
	return now if day == today else start_of_day(day, find_zone(time_zone or make_plan(campaign).timezone))


def find_first_status(campaign, start: datetime, now: datetime) -> str:
	"""Return the status of an enrollment that starts at `start`: Scheduled in a draft, and before the start."""
	draft = campaign.status == CampaignStatus.DRAFT.value
	return (Status.SCHEDULED if draft else live_status(start, now)).value
