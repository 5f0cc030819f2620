"""Actions that give a user something to do or to read. Written in the transaction of the action: told once, or not at all."""

import frappe
from frappe import _
from frappe.desk.doctype.notification_settings.notification_settings import (
	is_email_notifications_enabled_for_type,
)
from frappe.utils import add_days, get_url_to_form, strip_html

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.errors import ActionError
from drip_campaigns.core.flow.actions import AssignTo, choose_in_turn
from drip_campaigns.site.clock import site_date


def assign(job: ActionContext) -> ActionResult:
	"""Make a ToDo about the recipient's record for a user, who may see the record as far as the owner can share it."""
	user = choose_user(job)
	text = job.html(job.step.action_text) or _("Campaign {0}: see to {1}").format(
		frappe.utils.escape_html(job.campaign.campaign_name), frappe.utils.escape_html(job.who)
	)
	frappe.get_doc(job.row.recipient_type, job.row.recipient).check_permission("read")
	todo = frappe.get_doc(
		doctype="ToDo",
		allocated_to=user,
		reference_type=job.row.recipient_type,
		reference_name=job.row.recipient,
		description=text,
		date=add_days(site_date(job.now), job.step.due_in_days or 0),
		assigned_by=frappe.session.user,
	).insert()
	_share(job, user)
	_notify(job, user, _("To do: {0}").format(strip_html(text)[:200]), "Assignment")
	sentence = _("{0} got a ToDo about {1}").format(user, job.who)
	return ActionResult(sentence, "ToDo", todo.name, is_open=True)


def notify_user(job: ActionContext) -> ActionResult:
	"""Tell a user something about the recipient, as far as the owner may read it: in the Desk, and by email if the step says so."""
	user = choose_user(job)
	frappe.get_doc(job.row.recipient_type, job.row.recipient).check_permission("read")
	text = job.html(job.step.action_text)
	log = _notify(job, user, text, "Alert")
	if job.step.by_email and not is_email_notifications_enabled_for_type(user, "Alert"):
		_send(job, user, text)
	return ActionResult(_("{0} was told about {1}").format(user, job.who), "Notification Log", log)


def choose_user(job: ActionContext) -> str:
	"""Return who is meant by the step; raise ActionError if that is nobody who can work."""
	kind = AssignTo(job.step.assign_to or AssignTo.USER.value)
	if kind is AssignTo.IN_TURN:
		named = [user for user in read_users(job.step.action_users) if _is_enabled(user)]
		user = choose_in_turn(named, job.turns) if named else None
	else:
		user = job.step.action_user if kind is AssignTo.USER else job.recipient.owner
	if not user or not _is_enabled(user):
		sentence = _("There is no enabled user to whom it could go ({0}). Choose another one in the step.")
		raise ActionError(sentence.format(user or _("nobody")))
	return user


def read_users(text: str | None) -> list[str]:
	"""Return the users that a text names, one a line."""
	return list(dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip()))


def _is_enabled(user: str) -> bool:
	return bool(frappe.db.get_value("User", user, "enabled"))


def _share(job: ActionContext, user: str) -> None:
	"""Let a user see the record whose ToDo they have got, if the owner may share it."""
	document = frappe.get_doc(job.row.recipient_type, job.row.recipient)
	may_see = frappe.has_permission(document.doctype, "read", doc=document, user=user)
	if not may_see and frappe.has_permission(document.doctype, "share", doc=document):
		frappe.share.add(document.doctype, document.name, user, read=1)


def _notify(job: ActionContext, user: str, text: str, kind: str) -> str:
	# Not by Frappe's own background job: it would tell again what a rollback had undone.
	log = frappe.get_doc(
		doctype="Notification Log",
		type=kind,
		for_user=user,
		from_user=frappe.session.user,
		subject=text[:1000],
		document_type=job.row.recipient_type,
		document_name=job.row.recipient,
	)
	return log.insert(ignore_permissions=True).name


def _send(job: ActionContext, user: str, text: str) -> None:
	link = get_url_to_form(job.row.recipient_type, job.row.recipient)
	frappe.sendmail(
		recipients=[frappe.db.get_value("User", user, "email")],
		subject=strip_html(text)[:140] or job.campaign.campaign_name,
		message=f'<p>{text}</p><p><a href="{link}">{frappe.utils.escape_html(job.who)}</a></p>',
		reference_doctype="Drip Enrollment",
		reference_name=job.row.enrollment,
	)
