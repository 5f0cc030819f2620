"""What the Desk and signed-in integrators may call. Each checks the caller's rights in its first lines."""

import frappe
from frappe import _
from frappe.utils import cint, getdate

from drip_campaigns.api.errors import explained, require_reason
from drip_campaigns.campaign import lifecycle, owners, preview
from drip_campaigns.campaign.rights import may_activate
from drip_campaigns.campaign.test_addresses import require_test_address
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.dispatch import retry
from drip_campaigns.enrollment import lift_many, suppress, unsubscribe
from drip_campaigns.enrollment.changes import detail_of_user
from drip_campaigns.enrollment.enroll import enroll
from drip_campaigns.enrollment.exit import remove_enrollments
from drip_campaigns.enrollment.pause import pause_enrollments
from drip_campaigns.enrollment.resume import resume_enrollments
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.pages.rate_limits import TooManyRequestsError, count_request
from drip_campaigns.people.audience import Audience
from drip_campaigns.people.recipient_types import available_types, get_type
from drip_campaigns.site.clock import from_site, utc_now
from drip_campaigns.site.messages import refuse
from drip_campaigns.stats import progress

TESTS_AN_HOUR = 60
PREVIEW = "drip_preview"
ROLES = ("Drip Manager", "Drip User", "System Manager")


def may_open_app() -> bool:
	"""Say whether the apps screen of the session's user shows this app."""
	return frappe.session.user == "Administrator" or bool(set(ROLES) & set(frappe.get_roles()))


@frappe.whitelist(methods=["POST"])
@explained
def activate_campaign(campaign: str) -> dict:
	"""Activate a campaign. This needs write permission for level 1 of Drip Campaign."""
	document = _campaign_to_activate(campaign)
	return {"active": lifecycle.activate(document, utc_now())}


@frappe.whitelist(methods=["POST"])
@explained
def resume_campaign(campaign: str, enroll_refused: bool = False) -> dict:
	"""Resume a paused campaign; this needs the same permission as activating.

	`enroll_refused`: enroll those who came while it took no one new.
	"""
	document = _campaign_to_activate(campaign)
	return {"active": lifecycle.activate(document, utc_now(), enroll_refused=bool(cint(enroll_refused)))}


@frappe.whitelist(methods=["POST"])
@explained
def pause_campaign(campaign: str, until: str | None = None, take_no_one_new: bool = False) -> dict:
	"""Pause a campaign, until a moment (site time) if one is given; this needs write permission only.

	`take_no_one_new`: nobody is enrolled during the pause.
	"""
	document, is_shut = _get("Drip Campaign", campaign, "write"), bool(cint(take_no_one_new))
	lifecycle.pause(document, utc_now(), from_site(until), take_no_one_new=is_shut)
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def end_campaign(campaign: str) -> dict:
	"""End a campaign for good; return how many enrollments were live."""
	return {"left": lifecycle.end(_get("Drip Campaign", campaign, "write"), utc_now())}


@frappe.whitelist(methods=["POST"])
def take_over_campaign(campaign: str) -> dict:
	"""Make the caller the owner of a campaign, which then accepts records that they may read: Drip Managers only."""
	frappe.only_for(("Drip Manager", "System Manager"))
	owners.take_over(_get("Drip Campaign", campaign, "write"))
	return {"owner": frappe.session.user}


@frappe.whitelist(methods=["POST"])
@explained
def cancel_bulk_enrollment(name: str) -> dict:
	"""Stop a bulk enrollment after its current page; people who are enrolled stay enrolled."""
	bulk_enrollment.cancel(_get("Drip Bulk Enrollment", name, "write").name)
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def resume_bulk_enrollment(name: str) -> dict:
	"""Resume a bulk enrollment that was canceled or failed, where it stopped."""
	bulk_enrollment.resume(_get("Drip Bulk Enrollment", name, "write").name)
	return {}


@frappe.whitelist(methods=["GET"])
@explained
def count_recipients(recipient_type: str, filters: str = "[]") -> int:
	"""Return how many records of a type match list filters, of those that the caller may read."""
	frappe.has_permission("Drip Enrollment", "create", throw=True)
	get_type(recipient_type)
	return Audience(recipient_type, filters).count()


@frappe.whitelist(methods=["POST"])
@explained
def retry_failed(campaign: str) -> dict:
	"""Retry failed enrollments and emails of a campaign; a second call finds none."""
	return retry.retry_failed(_get("Drip Campaign", campaign, "write"), utc_now())


@frappe.whitelist(methods=["POST"])
@explained
def send_missed(campaign: str) -> dict:
	"""Send the steps that were skipped because they were overdue."""
	return {"emails": retry.send_missed(_get("Drip Campaign", campaign, "write"), utc_now())}


@frappe.whitelist(methods=["POST"])
@explained
def enroll_recipient(
	campaign: str,
	recipient_type: str,
	recipient: str,
	start_date: str | None = None,
	require_confirmation: bool = False,
) -> dict:
	"""Enroll one record in a campaign; with `require_confirmation` nothing is sent before the recipient confirms."""
	frappe.has_permission("Drip Enrollment", "create", throw=True)
	day = getdate(start_date) if start_date else None
	made = enroll(
		campaign,
		recipient_type,
		recipient,
		utc_now(),
		start_date=day,
		require_confirmation=require_confirmation,
	)
	return {"enrollment": made.name, "status": made.status, "confirmation": made.confirmation}


@frappe.whitelist(methods=["POST"])
@explained
def pause_enrollment(enrollment: str, until: str | None = None) -> dict:
	"""Pause one enrollment, until a moment (site time) if one is given."""
	names = [_get("Drip Enrollment", enrollment, "write").name]
	pause_enrollments(names, utc_now(), until=from_site(until), detail=detail_of_user()).require_done()
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def resume_enrollment(enrollment: str) -> dict:
	"""Resume a paused or ended enrollment where it stopped."""
	resume_enrollments([_get("Drip Enrollment", enrollment, "write").name], utc_now()).require_done()
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def remove_enrollment(enrollment: str) -> dict:
	"""Remove one recipient from the campaign."""
	remove_enrollments([_get("Drip Enrollment", enrollment, "write").name], utc_now()).require_done()
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def resubscribe_enrollment(enrollment: str, because: str) -> dict:
	"""Resubscribe a recipient who asks; for users who may lift suppressions, with the proof in `because`."""
	frappe.has_permission("Drip Suppression", "write", throw=True)
	unsubscribe.resubscribe_enrollment(
		_get("Drip Enrollment", enrollment, "write"), require_reason(because), utc_now()
	)
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def lift_suppression(suppression: str, because: str) -> dict:
	"""Lift a suppression for a person who asks; `because` says who asked, and how."""
	document = _get("Drip Suppression", suppression, "write")
	suppress.lift(document, require_reason(because), utc_now())
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def lift_suppressions(
	reason: str,
	because: str = "",
	phrase: str = "",
	day: str | None = None,
	campaign: str = "",
	preview: bool = False,
) -> dict:
	"""Lift many suppressions: of a reason (Hard Bounce, Manual), with a phrase in the note, of a day, of a campaign.

	The enrollments that ended because of them resume where they were. With `preview` the same is done and undone again.
	At most 5000 at once; returns how many are `left`.
	"""
	frappe.only_for(("Drip Manager", "System Manager"))
	frappe.has_permission("Drip Suppression", "write", throw=True)
	reason_given = "" if preview else require_reason(because)
	choice = lift_many.Choice.read(reason, phrase, getdate(day) if day else None, campaign)
	names = lift_many.find_suppressions(choice)
	if preview:
		frappe.db.savepoint(PREVIEW)
	lifted, result = lift_many.lift_suppressions(names[: lift_many.MOST_AT_ONCE], reason_given, utc_now())
	if preview:
		frappe.db.rollback(save_point=PREVIEW)
	left = len(names) - len(names[: lift_many.MOST_AT_ONCE])
	return {"lifted": lifted, "resumed": result.done, "refused": dict(result.refused), "left": left}


@frappe.whitelist(methods=["POST"])
@explained
def unsubscribe_enrollment(enrollment: str) -> dict:
	"""Unsubscribe a recipient who wrote so, from what the campaign's settings say."""
	holder = unsubscribe.find_link_holder(_get("Drip Enrollment", enrollment, "write").name)
	scope = unsubscribe.decide_scope(holder)
	unsubscribe.unsubscribe_holder(holder, scope, utc_now(), source=frappe.session.user)
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def renew_suppression(suppression: str, note: str) -> dict:
	"""Suppress an address again whose suppression was lifted."""
	document = _get("Drip Suppression", suppression, "write")
	suppress.renew(
		document, SuppressionReason.MANUAL, utc_now(), source=frappe.session.user, note=require_reason(note)
	)
	return {}


@frappe.whitelist(methods=["POST"])
@explained
def preview_step(
	campaign: str, step: str, recipient_type: str | None = None, recipient: str | None = None
) -> dict:
	"""Return a step as one recipient gets it: subject, html, text."""
	document = _get("Drip Campaign", campaign, "read")
	_check_recipient(recipient_type, recipient)
	return preview.render_step(document, step, recipient_type, recipient)


@frappe.whitelist(methods=["POST"])
@explained
def send_test(
	campaign: str,
	step: str,
	email_address: str,
	recipient_type: str | None = None,
	recipient: str | None = None,
) -> dict:
	"""Send a step to a user of Desk or an allowed test address, marked as a test and counted nowhere: 60 an hour per user."""
	document = _get("Drip Campaign", campaign, "write")
	_check_recipient(recipient_type, recipient)
	_count_test()
	require_test_address(email_address)
	preview.send_test(document, step, email_address, recipient_type, recipient, utc_now())
	return {"email_address": email_address}


@frappe.whitelist(methods=["GET"])
def get_recipient_types() -> list[str]:
	"""Return the recipient types of this site."""
	frappe.has_permission("Drip Enrollment", "read", throw=True)
	return available_types()


@frappe.whitelist(methods=["GET"])
def get_campaign_summary(campaign: str) -> dict:
	"""Return how many enrollments and emails a campaign has, by status, and what Retry and Send Skipped would take up."""
	document = _get("Drip Campaign", campaign, "read")
	return {**progress.count_by_status(campaign), "repairs": retry.count_repairs(document)}


@frappe.whitelist(methods=["GET"])
def get_enrollment_schedule(enrollment: str) -> list[dict]:
	"""Return each step of an enrollment with its result, or when it is planned."""
	return progress.list_schedule(_get("Drip Enrollment", enrollment, "read"), utc_now())


@frappe.whitelist(methods=["POST"])
def run_dispatch() -> dict:
	"""Send what is due now instead of at the next five minutes: Drip Managers only."""
	frappe.only_for(("Drip Manager", "System Manager"))
	frappe.enqueue(
		"drip_campaigns.jobs.dispatch_due.dispatch_due",
		queue="long",
		job_id="drip-dispatch",
		deduplicate=True,
	)
	return {}


def _campaign_to_activate(campaign: str):
	document = _get("Drip Campaign", campaign, "read")
	if not may_activate(document):
		message = _("You may not activate campaigns. Ask a Drip Manager to activate {0}.").format(campaign)
		refuse(message, exc=frappe.PermissionError)
	return document


def _get(doctype: str, name: str, permission: str):
	document = frappe.get_doc(doctype, name)
	document.check_permission(permission)
	return document


def _count_test() -> None:
	"""Count a test of the session's user, who no proxy header can change; refused addresses count, too."""
	try:
		count_request("test", frappe.session.user, TESTS_AN_HOUR)
	except TooManyRequestsError as error:
		message = _("You sent {0} tests within an hour. Wait an hour, then try again.").format(TESTS_AN_HOUR)
		raise DripError(message) from error


def _check_recipient(recipient_type: str | None, recipient: str | None) -> None:
	if recipient_type and recipient:
		frappe.has_permission(recipient_type, "read", recipient, throw=True)
