"""Scheduled changes of campaigns: resume after a pause, choose winners, and end when closed and empty."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import frappe
from frappe import _

from drip_campaigns.campaign import lifecycle
from drip_campaigns.campaign.step_pauses import find_due_steps, resume_due_step
from drip_campaigns.campaign.winners import choose_due_winners
from drip_campaigns.core.model import LIVE_STATUSES, CampaignStatus
from drip_campaigns.db.single_writes import write_fields
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.messages import as_html, bold
from drip_campaigns.site.notify import find_managers, notify

_LIVE = [status.value for status in LIVE_STATUSES]


def apply_due_changes(now: datetime) -> Iterator[tuple[str, Callable[[], object]]]:
	"""Yield the changes due at `now`: resume campaigns and steps, choose winners, and end closed, empty campaigns.

	Each comes with its campaign, or an empty text for several. Run each in its own transaction, so that a failing
	campaign does not prevent the others.
	"""
	for name in _find_paused(now):
		yield name, partial(_resume_campaign, name, now)
	for step in find_due_steps(now):
		yield step.parent, partial(resume_due_step, step, now)
	yield "", partial(choose_due_winners, now)
	filters = {"status": CampaignStatus.ACTIVE.value, "closed_at": ["is", "set"]}
	for name in frappe.get_all("Drip Campaign", filters=filters, pluck="name"):
		yield name, partial(_end_if_empty, name, now)


def _find_paused(now: datetime) -> list[str]:
	# Not get_all, which treats an empty time as earlier than any other.
	table = frappe.qb.DocType("Drip Campaign")
	is_over = (table.status == CampaignStatus.PAUSED.value) & (table.paused_until <= to_site(now))
	return frappe.qb.from_(table).select(table.name).where(is_over).run(pluck=True)


def _resume_campaign(name: str, now: datetime) -> None:
	campaign = frappe.get_doc("Drip Campaign", name, for_update=True)
	if campaign.status != CampaignStatus.PAUSED.value or not campaign.paused_until:
		return  # another dispatch was faster
	write_fields(campaign, {"paused_until": None})  # try once: a problem is reported, not retried
	try:
		lifecycle.activate(campaign, now)
	except lifecycle.CampaignProblemError as problem:
		_notify_problem(campaign, str(problem))


def _notify_problem(campaign, problem: str) -> None:
	write_fields(campaign, {"pause_reason": problem}, notify=True)
	subject = as_html(_("Campaign {0} could not resume after its pause: {1}"), bold(campaign.name), problem)
	receivers = {campaign.owner, *find_managers()}
	frappe.db.after_commit.add(lambda: notify(receivers, subject, "Drip Campaign", campaign.name))


def _end_if_empty(name: str, now: datetime) -> None:
	if not frappe.db.exists("Drip Enrollment", {"campaign": name, "status": ["in", _LIVE]}):
		lifecycle.end(frappe.get_doc("Drip Campaign", name), now)
