"""Find out why no emails are sent: check everything between a due enrollment and the mail server."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import frappe
from frappe import _
from frappe.utils import cint, pretty_date
from frappe.utils.scheduler import is_scheduler_inactive

from drip_campaigns.core.model import CampaignStatus, EmailStatus
from drip_campaigns.outbox.sending_blocks import BlockState
from drip_campaigns.rendering.senders import NoOutgoingAccountError, Senders
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.public_address import find_address_problem, public_url

LATE = timedelta(minutes=15)


@dataclass(frozen=True)
class Finding:
	"""The result of one check."""

	text: str
	is_problem: bool = False


def examine(now: datetime, campaign: str | None = None) -> Iterator[Finding]:
	"""Yield what prevents sending on this site at `now`, and what is in order. Changes nothing."""
	yield from _check_site()
	yield from _check_scheduler(now)
	yield from _check_campaigns(campaign)
	yield from _check_due(now, campaign)
	yield from _check_queue(now)


def _check_site() -> Iterator[Finding]:
	paused = cint(frappe.db.get_single_value("Drip Settings", "pause_sending"))
	yield _either(
		paused, _("Pause All Sending is set. Clear it in Drip Settings."), _("Sending is not paused")
	)
	suspended = cint(frappe.db.get_default("suspend_email_queue"))
	yield _either(
		suspended,
		_("The Email Queue is suspended. Resume it in the Email Queue list."),
		_("The Email Queue runs"),
	)
	muted = frappe.are_emails_muted()
	yield _either(
		muted, _("Emails are muted. Remove mute_emails from site_config.json."), _("Emails are not muted")
	)
	unreachable = find_address_problem()
	yield _either(unreachable, unreachable or "", _("Links in emails lead to {0}").format(public_url()))
	yield from _check_sending_blocks()
	try:
		Senders().find("Administrator")
		yield Finding(_("A default outgoing Email Account is set"))
	except NoOutgoingAccountError as error:
		yield Finding(str(error), is_problem=True)


def _check_sending_blocks() -> Iterator[Finding]:
	for row in frappe.get_all(
		"Drip Sending Block", fields=["email_account", "state", "reason", "remedy", "until"]
	):
		if row.state == BlockState.BLOCKED.value:
			blocked = _("Email Account {0} is blocked: {1}. {2} Then delete the Drip Sending Block {0}.")
			remedy = row.remedy or _("Correct its setup.")
			yield Finding(blocked.format(row.email_account, row.reason, remedy), is_problem=True)
		else:
			slowed = _(
				"Email Account {0} is slowed down until {1}: {2}. To end that, delete the Drip Sending Block {0}."
			)
			yield Finding(slowed.format(row.email_account, row.until, row.reason))


def _check_scheduler(now: datetime) -> Iterator[Finding]:
	off = is_scheduler_inactive()
	remedy = _("The scheduler is off. Run: bench --site {0} enable-scheduler").format(frappe.local.site)
	yield _either(off, remedy, _("The scheduler is on"))
	method = "drip_campaigns.jobs.dispatch_due.dispatch_due"
	last = frappe.db.get_value("Scheduled Job Type", {"method": method}, "last_execution")
	late = last is None or to_site(now) - last > LATE
	when = pretty_date(last) if last else _("never")
	remedy = _(
		"The dispatch last ran: {0}. Check that the scheduler and a worker are running (bench start, supervisor)."
	).format(when)
	yield _either(late, remedy, _("The dispatch last ran {0}").format(when))


def _check_campaigns(campaign: str | None) -> Iterator[Finding]:
	filters = {"name": campaign} if campaign else {}
	rows = frappe.get_all("Drip Campaign", filters=filters, fields=["name", "status"])
	if not rows:
		yield Finding(_("Campaign {0} does not exist").format(campaign or ""), is_problem=True)
	active = [row.name for row in rows if row.status == CampaignStatus.ACTIVE.value]
	if rows and not active:
		yield Finding(_("No campaign is active. Open a campaign and click Activate."), is_problem=True)
	elif active:
		yield Finding(_("Active campaigns: {0}").format(", ".join(active[:10])))


def _check_due(now: datetime, campaign: str | None) -> Iterator[Finding]:
	filters = {"campaign": campaign} if campaign else {}
	due = frappe.db.count("Drip Enrollment", {**filters, "next_send_at": ["<=", to_site(now)]})
	yield Finding(_("{0} enrollments are due now").format(due))
	fields = ["name", "recipient_name", "next_send_at"]
	coming = {**filters, "next_send_at": [">", to_site(now)]}
	for row in frappe.get_all(
		"Drip Enrollment", filters=coming, fields=fields, order_by="next_send_at", limit=1
	):
		yield Finding(_("The next one is {0}, at {1}").format(row.recipient_name, row.next_send_at))
	failing = frappe.get_all(
		"Drip Enrollment",
		filters={**filters, "last_error": ["is", "set"]},
		fields=["name", "recipient_name", "last_error"],
		limit=5,
	)
	for row in failing:
		yield Finding(f"{row.recipient_name} ({row.name}): {row.last_error}", is_problem=True)


def _check_queue(now: datetime) -> Iterator[Finding]:
	waiting = frappe.db.count("Drip Email", {"status": EmailStatus.QUEUED.value})
	old = {"status": EmailStatus.QUEUED.value, "deliver_at": ["<", to_site(now - LATE)]}
	remedy = _(
		"{0} emails have been waiting for more than 15 minutes. Check that a worker of the queue “long” is running."
	)
	stuck = frappe.db.count("Drip Email", old)
	yield _either(stuck, remedy.format(stuck), _("{0} emails wait for delivery").format(waiting))
	in_doubt = frappe.db.count("Drip Email", {"status": EmailStatus.IN_DOUBT.value})
	if in_doubt:
		yield Finding(
			_("{0} emails are in doubt: a worker stopped while it was sending them").format(in_doubt)
		)


def _either(problem: object, bad: str, good: str) -> Finding:
	return Finding(bad, is_problem=True) if problem else Finding(good)
