"""Pause and resume a single step: people who reach it wait, and keep their later steps. Nothing here commits."""

from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.campaign.lifecycle import CampaignProblemError
from drip_campaigns.campaign.replan import replan_soon
from drip_campaigns.db.single_writes import write_fields, write_values
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.cancel import pause_queued, resume_queued
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.messages import add_note
from drip_campaigns.site.settings import release_after

STEP = "Drip Campaign Step"


def is_paused(campaign, step: str) -> bool:
	"""Return whether a step of a campaign is paused."""
	return bool(_find(campaign, step).is_paused)


def pause_step(campaign, step: str, now: datetime, until: datetime | None = None) -> None:
	"""Pause a step and its queued emails; with `until` it resumes then. A second call changes `until`."""
	row = _find(campaign, step)
	if until and until <= now:
		raise CampaignProblemError(_("A pause ends in the future. Choose a later moment."))
	_set(campaign, row, {"is_paused": 1, "paused_until": to_site(until)})
	pause_queued(emails.email_table().step == step, now=now)
	add_note(campaign, _("paused step {0}"), row.idx)
	replan_soon(campaign, now)


def resume_step(campaign, step: str, now: datetime) -> None:
	"""Resume a paused step: people who wait get it now, and later steps keep their distance."""
	row = _find(campaign, step)
	if not row.is_paused:
		return
	_resume_step(campaign, row, to_site(now), now)
	add_note(campaign, _("resumed step {0}"), row.idx)


def find_due_steps(now: datetime) -> list[frappe._dict]:
	"""Return the steps whose pause is over at `now`: name, parent and paused_until."""
	# Not get_all, which treats an empty time as earlier than any other.
	step = frappe.qb.DocType(STEP)
	query = frappe.qb.from_(step).select(step.name, step.parent, step.paused_until)
	is_over = (step.paused_until <= to_site(now)) & (step.parenttype == "Drip Campaign")
	return query.where((step.is_paused == 1) & is_over).run(as_dict=True)


def resume_due_step(found: frappe._dict, now: datetime) -> None:
	"""Resume a step that `find_due_steps` has found."""
	campaign = frappe.get_doc("Drip Campaign", found.parent)
	_resume_step(campaign, _find(campaign, found.name), found.paused_until, now)


def _resume_step(campaign, row, since: datetime, now: datetime) -> None:
	# Keep the time: people who waited were not late, and Keep Dates must not skip the step.
	_set(campaign, row, {"is_paused": 0, "paused_until": since})
	resume_queued(emails.email_table().step == row.name, now=now, release_after=release_after())
	replan_soon(campaign, now)


def _find(campaign, step: str):
	row = next((row for row in campaign.steps if row.name == step), None)
	if row is None:
		raise CampaignProblemError(
			_("Campaign {0} does not have this step. Reload the form.").format(campaign.name)
		)
	return row


def _set(campaign, row, values: dict) -> None:
	row.update(values)
	write_values(STEP, row.name, values)
	write_fields(
		campaign, {"modified": frappe.utils.now()}, notify=True
	)  # a form that is open elsewhere must not overwrite it
