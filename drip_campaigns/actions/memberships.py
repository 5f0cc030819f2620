"""Actions that put somebody on a list or a campaign, or take them off. The rules of the list and of the campaign decide."""

import frappe
from frappe import _

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.errors import ActionError
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import ExitReason
from drip_campaigns.enrollment.enroll import enroll
from drip_campaigns.enrollment.exit import exit_enrollments, find_live_of
from drip_campaigns.enrollment.list_membership import MEMBER, clear_removed
from drip_campaigns.lists.remove_members import remove_members
from drip_campaigns.people.addresses import hash_address

SAVE_POINT = "drip_action_membership"


def add_to_list(job: ActionContext) -> ActionResult:
	"""Put the recipient on a list; who is on it, or has opted out of it, stays as they are."""
	name = _existing("Drip Target List", job.step.action_list)
	address = {"target_list": name, "address_hash": hash_address(job.recipient.email)}
	member = frappe.db.get_value(MEMBER, address, ["opted_out", "removed_at"], as_dict=True)
	if member and member.opted_out:
		return ActionResult(
			_("{0} has opted out of list {1}, and is not put on it again").format(job.who, name)
		)
	if member and not member.removed_at:
		return ActionResult(_("{0} is on list {1} already").format(job.who, name))
	frappe.has_permission(MEMBER, "create", throw=True)
	clear_removed(name, job.recipient.email)
	facts = {"recipient_type": job.row.recipient_type, "recipient": job.row.recipient}
	frappe.get_doc(doctype=MEMBER, target_list=name, **facts).insert()
	return ActionResult(_("{0} was put on list {1}").format(job.who, name))


def remove_from_list(job: ActionContext) -> ActionResult:
	"""Take the recipient off a list; what came through it ends where the campaign says so."""
	name = _existing("Drip Target List", job.step.action_list)
	frappe.has_permission(MEMBER, "write", throw=True)
	address = {"target_list": name, "address_hash": hash_address(job.recipient.email)}
	members = frappe.get_all(MEMBER, filters={**address, "removed_at": ["is", "not set"]}, pluck="name")
	if not members:
		return ActionResult(_("{0} is not on list {1}").format(job.who, name))
	remove_members(name, members, job.now)
	return ActionResult(_("{0} was taken off list {1}").format(job.who, name))


def enroll_in(job: ActionContext) -> ActionResult:
	"""Enroll the recipient in another campaign; where its rules refuse, the reason is noted, and nothing has failed."""
	name = _existing("Drip Campaign", job.step.action_campaign)
	frappe.has_permission("Drip Enrollment", "create", throw=True)
	frappe.db.savepoint(SAVE_POINT)
	try:
		enrollment = enroll(name, job.row.recipient_type, job.row.recipient, job.now)
	except frappe.PermissionError:
		raise
	except (DripError, frappe.ValidationError) as error:
		frappe.db.rollback(save_point=SAVE_POINT)
		frappe.clear_messages()
		reason = frappe.utils.strip_html(str(error))
		return ActionResult(_("Not enrolled in {0}: {1}").format(name, reason))
	return ActionResult(
		_("{0} was enrolled in {1}").format(job.who, name), "Drip Enrollment", enrollment.name
	)


def remove_from(job: ActionContext) -> ActionResult:
	"""Take the recipient off another campaign, or off this one; what is queued is withdrawn."""
	name = _existing("Drip Campaign", job.step.action_campaign)
	frappe.has_permission("Drip Enrollment", "write", throw=True)
	live = find_live_of(job.row.email_address, campaign=name)
	reason = _("Campaign {0} took them off").format(job.campaign.campaign_name)
	if not exit_enrollments(live, ExitReason.REMOVED, reason, job.now):
		return ActionResult(_("{0} is not on campaign {1}").format(job.who, name))
	return ActionResult(_("{0} was taken off campaign {1}").format(job.who, name))


def _existing(doctype: str, name: str | None) -> str:
	if not name or not frappe.db.exists(doctype, name):
		sentence = _("{0} {1} is not there any more. Choose another one in the step.")
		raise ActionError(sentence.format(_(doctype), name or ""))
	return name
