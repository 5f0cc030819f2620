"""What campaigns do by themselves when the time has come: go on after a pause, and end when closed and empty."""

from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.campaign import lifecycle
from drip_campaigns.campaign.hold import managers, tell
from drip_campaigns.campaign.step_pauses import resume_due_steps
from drip_campaigns.campaign.winners import decide_due
from drip_campaigns.core.model import LIVE_STATUSES, CampaignStatus
from drip_campaigns.site_clock import to_site

_LIVE = [status.value for status in LIVE_STATUSES]


def keep_time(now: datetime) -> int:
	"""Resume what was paused until now, choose winners, end closed campaigns nobody is on; return how many. Does not commit."""
	return _resume_campaigns(now) + resume_due_steps(now) + decide_due(now) + _end_closed(now)


def _resume_campaigns(now: datetime) -> int:
	# Not get_all, for which an empty moment lies before every other.
	table = frappe.qb.DocType("Drip Campaign")
	is_over = (table.status == CampaignStatus.PAUSED.value) & (table.paused_until <= to_site(now))
	names = frappe.qb.from_(table).select(table.name).where(is_over).run(pluck=True)
	for name in names:
		campaign = frappe.get_doc("Drip Campaign", name, for_update=True)
		if campaign.status != CampaignStatus.PAUSED.value or not campaign.paused_until:
			continue  # another dispatch was faster
		campaign.db_set("paused_until", None)  # once: whatever comes of it is told, and not tried for ever
		try:
			lifecycle.activate(campaign, now)
		except lifecycle.CampaignProblemError as problem:
			_tell(campaign, str(problem))
	return len(names)


def _tell(campaign, problem: str) -> None:
	campaign.db_set("held_because", problem, notify=True)
	subject = _("Campaign {0} could not go on after its pause: {1}").format(
		frappe.bold(campaign.name), frappe.utils.strip_html(problem)
	)
	told = {campaign.owner, *managers()}
	frappe.db.after_commit.add(lambda: tell(told, subject, "Drip Campaign", campaign.name))


def _end_closed(now: datetime) -> int:
	filters = {"status": CampaignStatus.ACTIVE.value, "closed_at": ["is", "set"]}
	ended = 0
	for name in frappe.get_all("Drip Campaign", filters=filters, pluck="name"):
		if not frappe.db.exists("Drip Enrollment", {"campaign": name, "status": ["in", _LIVE]}):
			lifecycle.end(frappe.get_doc("Drip Campaign", name), now)
			ended += 1
	return ended
