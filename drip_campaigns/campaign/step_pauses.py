"""A single step that is held: who reaches it waits there, and everybody keeps the rest of the way. Nothing here commits."""

from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.campaign.lifecycle import CampaignProblemError
from drip_campaigns.campaign.replan import replan_soon
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.cancel import pause_queued, resume_queued
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.settings import release_after

STEP = "Drip Campaign Step"


def pause_step(campaign, step: str, now: datetime, until: datetime | None = None) -> None:
	"""Hold a step, what is queued of it included; with `until` it goes on by itself then. Doing so again moves the day."""
	row = _find(campaign, step)
	if until and until <= now:
		raise CampaignProblemError(_("A pause ends in the future. Choose a later moment."))
	_set(campaign, row, {"is_paused": 1, "paused_until": to_site(until)})
	pause_queued(emails.email_table().step == step, now=now)
	campaign.add_comment("Info", _("paused step {0}").format(row.idx))
	replan_soon(campaign, now)


def resume_step(campaign, step: str, now: datetime) -> None:
	"""Let a held step go on: who waits for it gets it now, and the steps after it keep their distance."""
	row = _find(campaign, step)
	if not row.is_paused:
		return
	_let_go(campaign, row, to_site(now), now)
	campaign.add_comment("Info", _("resumed step {0}").format(row.idx))


def find_due_steps(now: datetime) -> list[frappe._dict]:
	"""Return the steps whose pause is over at `now`: name, parent and paused_until."""
	# Not get_all, for which an empty moment lies before every other.
	step = frappe.qb.DocType(STEP)
	query = frappe.qb.from_(step).select(step.name, step.parent, step.paused_until)
	is_over = (step.paused_until <= to_site(now)) & (step.parenttype == "Drip Campaign")
	return query.where((step.is_paused == 1) & is_over).run(as_dict=True)


def resume_due_step(found: frappe._dict, now: datetime) -> None:
	"""Let a step go on that `find_due_steps` has found."""
	campaign = frappe.get_doc("Drip Campaign", found.parent)
	_let_go(campaign, _find(campaign, found.name), found.paused_until, now)


def _let_go(campaign, row, since: datetime, now: datetime) -> None:
	# The moment stays: who waited for the step was not late for it, and Keep Dates must not skip it.
	_set(campaign, row, {"is_paused": 0, "paused_until": since})
	resume_queued(emails.email_table().step == row.name, now=now, release_after=release_after())
	replan_soon(campaign, now)


def _find(campaign, step: str):
	row = next((row for row in campaign.steps if row.name == step), None)
	if row is None:
		raise CampaignProblemError(_("Campaign {0} has no such step. Reload the form.").format(campaign.name))
	return row


def _set(campaign, row, values: dict) -> None:
	row.update(values)
	frappe.db.set_value(STEP, row.name, values)
	campaign.db_set(
		"modified", frappe.utils.now(), notify=True
	)  # a form that is open elsewhere must not undo it
