"""Pause steps, close campaigns, and apply verbs to many enrollments. For signed-in users."""

import frappe
from frappe import _
from frappe.utils import get_datetime

from drip_campaigns.actions import retry
from drip_campaigns.api.errors import explained
from drip_campaigns.campaign import lifecycle, step_pauses
from drip_campaigns.campaign.rights import require_right_if_live
from drip_campaigns.db.dialect import select_in
from drip_campaigns.dispatch.retry import send_again
from drip_campaigns.enrollment.verbs import VerbRequest, apply_verb, find_at_step
from drip_campaigns.jobs import bulk_verbs as verbs_job
from drip_campaigns.outbox.settle import settle_in_doubt as mark_as_arrived
from drip_campaigns.people.row_rights import filter_rows
from drip_campaigns.site.clock import from_site, utc_now
from drip_campaigns.site.dry_run import try_out
from drip_campaigns.site.messages import refuse

MOST_AT_ONCE = 5000


@frappe.whitelist(methods=["POST"])
@explained
def pause_step(campaign: str, step: str, until: str | None = None) -> dict:
	"""Pause one step of a campaign: people who reach it wait. With `until` (site time) it resumes then.

	Anyone who may write can pause. Changing when a paused step of a live campaign resumes needs the right to activate.
	"""
	document = _campaign(campaign)
	if step_pauses.is_paused(document, step):
		require_right_if_live(document)
	step_pauses.pause_step(document, step, utc_now(), from_site(until))
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def resume_step(campaign: str, step: str) -> dict:
	"""Resume a paused step; repeating it changes nothing. In a live campaign it needs the right to activate."""
	document = _campaign(campaign)
	require_right_if_live(document)
	step_pauses.resume_step(document, step, utc_now())
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def close_campaign(campaign: str) -> dict:
	"""Close a campaign: people in it finish, nobody new is enrolled, and it ends when the last one has finished."""
	lifecycle.close(_campaign(campaign), utc_now())
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def reopen_campaign(campaign: str) -> dict:
	"""Reopen a closed campaign, so that it accepts people again; this needs the right to activate."""
	document = _campaign(campaign)
	require_right_if_live(document)
	lifecycle.reopen(document)
	return {}


@frappe.whitelist(methods=["GET"])
def count_at_step(campaign: str, step: str) -> int:
	"""Return how many enrollments that the user may change are at a step: those whose next step it is."""
	frappe.get_doc("Drip Campaign", campaign).check_permission("read")
	return len(_changeable(find_at_step(campaign, step)))


@frappe.whitelist(methods=["POST"])
@explained
def change_enrollments(
	verb: str, enrollments: str, step: str | None = None, until: str | None = None
) -> dict:
	"""Pause, Resume, Remove, Skip, Move or Restart many enrollments, given as a JSON list of names.

	Skip and Move need the `step`. Returns how many were changed (`done`), and how many were refused, by reason. A
	background job does the `left` ones after the first 5000 and notifies the user at its end.
	"""
	frappe.has_permission("Drip Enrollment", "write", throw=True)
	wanted = _read_names(enrollments, _("Give the names of the enrollments as a JSON list."))
	return _act(_changeable(wanted), verb, step, until)


@frappe.whitelist(methods=["POST"])
@explained
def preview_changes(verb: str, enrollments: str) -> dict:
	"""Return what `change_enrollments` would return for a verb without a step; `left` ones are not looked at. Changes nothing."""
	return try_out(lambda: change_enrollments(verb, enrollments))


@frappe.whitelist(methods=["POST"])
@explained
def preview_retry(actions: str) -> dict:
	"""Return what `retry_actions` would return. Changes nothing."""
	return try_out(lambda: retry_actions(actions))


@frappe.whitelist(methods=["POST"])
@explained
def retry_actions(actions: str) -> dict:
	"""Retry failed actions, and Webhooks in doubt, given as a JSON list of names; a second call finds none.

	Returns how many will be retried, and how many were left because they have not failed.
	"""
	frappe.has_permission("Drip Enrollment", "write", throw=True)
	wanted = _read_names(actions, _("Give the names of the actions as a JSON list."))
	allowed = filter_rows("Drip Action", wanted[:MOST_AT_ONCE], changes=True)
	done = retry.retry_actions(allowed, utc_now())
	return {"done": done, "left": len(wanted) - done}


@frappe.whitelist(methods=["POST"])
@explained
def settle_in_doubt(emails: str, arrived: bool) -> dict:
	"""Settle emails in doubt, given as a JSON list of names: they `arrived`, or they are sent again.

	Returns how many were settled, and how many were left: they are no longer in doubt, or may not be sent.
	"""
	frappe.has_permission("Drip Enrollment", "write", throw=True)
	wanted = _read_names(emails, _("Give the names of the emails as a JSON list."))
	allowed = filter_rows("Drip Email", wanted[:MOST_AT_ONCE], changes=True)
	if frappe.utils.sbool(arrived):
		done = mark_as_arrived(allowed, utc_now(), _("{0} says that it arrived.").format(frappe.session.user))
	else:
		done = sum(
			send_again(frappe.get_doc("Drip Campaign", name), names, utc_now())
			for name, names in _by_campaign(allowed)
		)
	return {"done": done, "left": len(wanted) - done}


def _by_campaign(emails: list[str]) -> list[tuple[str, list[str]]]:
	groups: dict[str, list[str]] = {}
	for row in select_in("Drip Email", ("name", "campaign"), "name", emails):
		groups.setdefault(row.campaign, []).append(row.name)
	return sorted(groups.items())


@frappe.whitelist(methods=["POST"])
@explained
def change_enrollments_at_step(
	campaign: str, at_step: str, verb: str, step: str | None = None, until: str | None = None
) -> dict:
	"""Do the same as `change_enrollments` for every enrollment at the step `at_step` of a campaign."""
	_campaign(campaign)
	return _act(_changeable(find_at_step(campaign, at_step)), verb, step, until)


def _act(names: list[str], verb: str, step: str | None, until: str | None) -> dict:
	request = VerbRequest.read(verb, step, from_site(get_datetime(until)) if until else None)
	result = apply_verb(names[:MOST_AT_ONCE], request, utc_now())
	verbs_job.enqueue(names[MOST_AT_ONCE:], request, result.done, result.refused)
	left = max(len(names) - MOST_AT_ONCE, 0)
	return {"done": result.done, "refused": dict(result.refused), "left": left}


def _read_names(text: str, refusal: str) -> list[str]:
	names = frappe.parse_json(text)
	if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
		refuse(refusal)
	return names


def _changeable(names: list[str]) -> list[str]:
	return filter_rows("Drip Enrollment", list(dict.fromkeys(names)), changes=True)


def _campaign(name: str):
	document = frappe.get_doc("Drip Campaign", name)
	document.check_permission("write")
	return document
