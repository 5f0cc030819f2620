"""Makes the plan of the pure core from a campaign's document."""

from datetime import date, time, timedelta

import frappe
from frappe.utils import get_time, getdate
from frappe.utils.data import get_system_timezone

from drip_campaigns.core.flow.actions import RunWhen
from drip_campaigns.core.model import CountedFrom, IfLate, Plan, ReEnrollment, Step, StepType
from drip_campaigns.plans.flow_labels import describe_step
from drip_campaigns.plans.holidays import load_holidays
from drip_campaigns.plans.step_flow import make_flow
from drip_campaigns.site.clock import from_site
from drip_campaigns.site.settings import quiet_hours

LONGEST_SUBJECT = 255  # of the field for the next step on an enrollment
WEEKDAY_FIELDS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def make_plan(campaign) -> Plan:
	"""Return the plan of a Drip Campaign document, saved or not; raise a DripError if a value is invalid."""
	return Plan(
		steps=tuple(_make_step(row) for row in campaign.steps if row.run_when != RunWhen.ON_EXIT),
		timezone=campaign.time_zone or get_system_timezone(),
		if_late=IfLate(campaign.if_late or IfLate.KEEP_INTERVALS.value),
		grace=timedelta(hours=campaign.grace_hours or 0),
		reopen_completed=bool(campaign.reopen_completed),
		re_enrollment=ReEnrollment(campaign.re_enrollment or ReEnrollment.RESUME.value),
		restart_after_days=campaign.restart_after_days or 0,
		start_date=_day(campaign.start_date),
		end_date=_day(campaign.end_date),
		weekdays=frozenset(number for number, day in enumerate(WEEKDAY_FIELDS) if campaign.get(day)),
		window=_make_window(campaign),
		holidays=load_holidays(campaign),
		quiet=None if campaign.is_transactional else quiet_hours(),
	)


def step_subjects(campaign) -> dict[str, str]:
	"""Return the subjects of a Drip Campaign document's steps by their rows' names."""
	return {row.name: step_subject(row) for row in campaign.steps}


def step_subject(row) -> str:
	"""Return the name of a step in lists: its subject, that of its Email Template, or a sentence if it is not an email."""
	if row.step_type and row.step_type != StepType.SEND.value:
		return (row.sentence or describe_step(row))[:LONGEST_SUBJECT]
	if row.subject or not row.email_template:
		return row.subject or ""
	return frappe.get_cached_value("Email Template", row.email_template, "subject") or ""


def _make_step(row) -> Step:
	return Step(
		id=row.name or f"new-{row.idx}",
		send_after_days=row.send_after_days or 0,
		send_after_hours=row.send_after_hours or 0,
		counted_from=CountedFrom(row.counted_from or CountedFrom.START.value),
		enabled=bool(row.enabled) and not row.is_draft,
		is_held=bool(row.is_paused),
		held_until=from_site(row.paused_until),
		type=StepType(row.step_type or StepType.SEND.value),
		flow=make_flow(row),
		label=(row.label or "").strip(),
		waits_for_todo=row.step_type == StepType.ACTION.value and bool(row.wait_for_todo),
	)


def _day(value) -> date | None:
	return getdate(value) if value else None


def _make_window(campaign) -> tuple[time, time] | None:
	if not campaign.window_from and not campaign.window_to:
		return None
	opens = get_time(campaign.window_from) if campaign.window_from else time.min
	closes = get_time(campaign.window_to) if campaign.window_to else time.min  # 00:00: the end of the day
	return opens, closes
