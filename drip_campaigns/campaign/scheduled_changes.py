"""What campaigns do by themselves when the time has come: go on after a pause, and end when closed and empty."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import frappe
from frappe import _

from drip_campaigns.campaign import lifecycle
from drip_campaigns.campaign.step_pauses import find_due_steps, resume_due_step
from drip_campaigns.campaign.winners import decide_due
from drip_campaigns.core.model import LIVE_STATUSES, CampaignStatus
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.notify import find_managers, notify

_LIVE = [status.value for status in LIVE_STATUSES]


def apply_due_changes(now: datetime) -> Iterator[tuple[str, Callable[[], object]]]:
	"""Yield what is to be done at `now`: campaigns and steps resumed, winners chosen, closed campaigns ended that nobody is on.

	Each with the campaign it is about, nothing for several. Each piece is to be a transaction of its own: one campaign that cannot go on keeps no other from it.
	"""
	for name in _find_paused(now):
		yield name, partial(_resume_campaign, name, now)
	for step in find_due_steps(now):
		yield step.parent, partial(resume_due_step, step, now)
	yield "", partial(decide_due, now)
	filters = {"status": CampaignStatus.ACTIVE.value, "closed_at": ["is", "set"]}
	for name in frappe.get_all("Drip Campaign", filters=filters, pluck="name"):
		yield name, partial(_end_if_empty, name, now)


def _find_paused(now: datetime) -> list[str]:
	# Not get_all, for which an empty moment lies before every other.
	table = frappe.qb.DocType("Drip Campaign")
	is_over = (table.status == CampaignStatus.PAUSED.value) & (table.paused_until <= to_site(now))
	return frappe.qb.from_(table).select(table.name).where(is_over).run(pluck=True)


def _resume_campaign(name: str, now: datetime) -> None:
	campaign = frappe.get_doc("Drip Campaign", name, for_update=True)
	if campaign.status != CampaignStatus.PAUSED.value or not campaign.paused_until:
		return  # another dispatch was faster
	campaign.db_set("paused_until", None)  # once: whatever comes of it is told, and not tried for ever
	try:
		lifecycle.activate(campaign, now)
	except lifecycle.CampaignProblemError as problem:
		_tell(campaign, str(problem))


def _tell(campaign, problem: str) -> None:
	campaign.db_set("pause_reason", problem, notify=True)
	subject = _("Campaign {0} could not go on after its pause: {1}").format(
		frappe.bold(campaign.name), frappe.utils.strip_html(problem)
	)
	told = {campaign.owner, *find_managers()}
	frappe.db.after_commit.add(lambda: notify(told, subject, "Drip Campaign", campaign.name))


def _end_if_empty(name: str, now: datetime) -> None:
	if not frappe.db.exists("Drip Enrollment", {"campaign": name, "status": ["in", _LIVE]}):
		lifecycle.end(frappe.get_doc("Drip Campaign", name), now)
