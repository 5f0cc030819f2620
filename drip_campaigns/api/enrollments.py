"""Holding and moving those who are on board: steps, closing, and the verbs for many enrollments. For signed-in users."""

import frappe
from frappe import _
from frappe.utils import get_datetime

from drip_campaigns.actions import retry
from drip_campaigns.api.errors import explained
from drip_campaigns.campaign import lifecycle, step_pauses
from drip_campaigns.enrollment.bulk_verbs import Order, Verb, act_on, names_at_step
from drip_campaigns.jobs import bulk_verbs as verbs_job
from drip_campaigns.site.clock import from_site, utc_now

MOST_AT_ONCE = 5000


@frappe.whitelist(methods=["POST"])
@explained
def pause_step(campaign: str, step: str, until: str | None = None) -> dict:
	"""Hold one step of a campaign: who reaches it waits. With `until`, site time, it goes on by itself then."""
	step_pauses.pause_step(_campaign(campaign), step, utc_now(), from_site(until))
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def resume_step(campaign: str, step: str) -> dict:
	"""Let a held step go on; pressed twice, the second changes nothing."""
	step_pauses.resume_step(_campaign(campaign), step, utc_now())
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def close_campaign(campaign: str) -> dict:
	"""Let those on board finish and enroll nobody new; the campaign ends when the last has left."""
	lifecycle.close(_campaign(campaign), utc_now())
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def reopen_campaign(campaign: str) -> dict:
	"""Let a closed campaign take people in again."""
	lifecycle.reopen(_campaign(campaign))
	return {}


@frappe.whitelist(methods=["GET"])
def count_at_step(campaign: str, step: str) -> int:
	"""Return how many stand at a step: those whose next step it is."""
	frappe.get_doc("Drip Campaign", campaign).check_permission("read")
	return len(names_at_step(campaign, step))


@frappe.whitelist(methods=["POST"])
@explained
def act_on_enrollments(
	verb: str, enrollments: str, step: str | None = None, until: str | None = None
) -> dict:
	"""Pause, Resume, Remove, Skip, Move or Start Over many enrollments, given as a JSON list of names.

	Skip and Move need the `step`. Returns how many were done, and how many not by reason; pressing twice is pressing once.
	Of more than 5000, `left` are done by a background job, which tells the user of its end.
	"""
	frappe.has_permission("Drip Enrollment", "write", throw=True)
	wanted = _read_names(enrollments, _("Give the names of the enrollments as a JSON list."))
	return _act(_readable("Drip Enrollment", wanted), verb, step, until)


@frappe.whitelist(methods=["POST"])
@explained
def retry_actions(actions: str) -> dict:
	"""Do failed actions again, and Webhooks in doubt, given as a JSON list of names; pressed twice, the second finds none.

	Returns how many will be done, and how many were left because they have not failed.
	"""
	frappe.has_permission("Drip Enrollment", "write", throw=True)
	wanted = _read_names(actions, _("Give the names of the actions as a JSON list."))
	done = retry.retry_actions(_readable("Drip Action", wanted[:MOST_AT_ONCE]), utc_now())
	return {"done": done, "left": len(wanted) - done}


@frappe.whitelist(methods=["POST"])
@explained
def act_on_step(
	campaign: str, at_step: str, verb: str, step: str | None = None, until: str | None = None
) -> dict:
	"""As `act_on_enrollments`, for everybody who stands at the step `at_step` of a campaign."""
	_campaign(campaign)
	return _act(names_at_step(campaign, at_step), verb, step, until)


def _act(names: list[str], verb: str, step: str | None, until: str | None) -> dict:
	if verb not in [known.value for known in Verb]:
		frappe.throw(_("“{0}” is no verb. Say one of: {1}.").format(verb, ", ".join(Verb)))
	if verb in (Verb.SKIP.value, Verb.MOVE.value) and not step:
		frappe.throw(_("Say which step."))
	order = Order(Verb(verb), step, from_site(get_datetime(until)) if until else None)
	outcome = act_on(names[:MOST_AT_ONCE], order, utc_now())
	verbs_job.enqueue(names[MOST_AT_ONCE:], order, outcome)
	left = max(len(names) - MOST_AT_ONCE, 0)
	return {"done": outcome.done, "refused": dict(outcome.refused), "left": left}


def _read_names(text: str, refusal: str) -> list[str]:
	names = frappe.parse_json(text)
	if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
		frappe.throw(refusal)
	return names


def _readable(doctype: str, names: list[str]) -> list[str]:
	"""Return those that the caller may read, as far as user permissions say."""
	return frappe.get_list(doctype, filters={"name": ["in", names]}, pluck="name", limit_page_length=0)


def _campaign(name: str):
	document = frappe.get_doc("Drip Campaign", name)
	document.check_permission("write")
	return document
