"""A step that is an action, as a sentence: what the grid, the line of steps and the log call it."""

import frappe
from frappe import _

from drip_campaigns.actions.people import read_users
from drip_campaigns.core.actions import ActionKind, AssignTo, RunWhen

LONGEST = 140


def describe(step) -> str:
	"""Return what an action does, in one line."""
	kind = ActionKind(step.action) if step.action else None
	text = _SENTENCES[kind](step) if kind else _("Choose an action")
	if step.run_when == RunWhen.LEAVING:
		because = _("because of: {0}").format(_(step.leaving_because)) if step.leaving_because else ""
		text = _("When somebody leaves {0}: {1}").format(because, text).replace(" :", ":")
	return text[:LONGEST]


def _set_field(step) -> str:
	known = step.action_doctype and step.action_field and frappe.db.exists("DocType", step.action_doctype)
	label = frappe.get_meta(step.action_doctype).get_label(step.action_field) if known else step.action_field
	return _("Set {0} to “{1}”").format(_(label or ""), step.action_value or "")


def _assign(step) -> str:
	text = _("Give {0} a ToDo: {1}").format(_who(step), step.action_text or _("see to the recipient"))
	return _("{0}, and wait until it is closed").format(text) if step.waits_for_close else text


def _who(step) -> str:
	kind = step.assign_to or AssignTo.USER
	if kind == AssignTo.USER:
		return step.action_user or ""
	if kind == AssignTo.OWNER:
		return _("the record's owner")
	return _("one of {0} in turn").format(", ".join(read_users(step.action_users)))


_SENTENCES = {
	ActionKind.SET_FIELD: _set_field,
	ActionKind.ADD_TAG: lambda step: _("Add the tag {0}").format(step.action_tag or ""),
	ActionKind.REMOVE_TAG: lambda step: _("Remove the tag {0}").format(step.action_tag or ""),
	ActionKind.ASSIGN: _assign,
	ActionKind.ADD_TO_LIST: lambda step: _("Put on the list {0}").format(step.action_list or ""),
	ActionKind.REMOVE_FROM_LIST: lambda step: _("Take off the list {0}").format(step.action_list or ""),
	ActionKind.ENROLL: lambda step: _("Enroll in {0}").format(step.action_campaign or ""),
	ActionKind.REMOVE: lambda step: _("Take off {0}").format(step.action_campaign or ""),
	ActionKind.TELL: lambda step: _("Tell {0}: {1}").format(_who(step), step.action_text or ""),
	ActionKind.WEBHOOK: lambda step: _("Call the Webhook {0}").format(step.webhook or ""),
	ActionKind.CREATE: lambda step: _("Create {0}").format(_(step.action_doctype or "")),
}
