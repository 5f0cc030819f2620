"""A step that is an action, as a sentence: what lists, figures and the log call it. The form says the same (action_words.js)."""

import re

import frappe
from frappe import _
from frappe.utils import get_fullname

from drip_campaigns.actions.people import read_users
from drip_campaigns.core.flow.actions import ActionKind, AssignTo, RunWhen

LONGEST = 140
_FIELD = re.compile(r"{{\s*\w+\.(\w+)[^}]*}}")


def describe(step) -> str:
	"""Return what an action does, in one line."""
	kind = ActionKind(step.action) if step.action else None
	text = _SENTENCES[kind](step) if kind else _("Choose an action")
	if step.run_when == RunWhen.ON_EXIT:
		because = _(step.on_exit_reason) if step.on_exit_reason else None
		text = (
			_("When somebody leaves ({0}): {1}").format(because, text)
			if because
			else _("When somebody leaves: {0}").format(text)
		)
	return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _set_field(step) -> str:
	known = step.action_doctype and step.action_field and frappe.db.exists("DocType", step.action_doctype)
	label = frappe.get_meta(step.action_doctype).get_label(step.action_field) if known else step.action_field
	if not step.action_value:
		return _("Empty {0}").format(_(label or ""))
	return _("Set {0} to {1}").format(_(label or ""), _quote(step.action_value))


def _assign(step) -> str:
	text = _("Assign {0} to {1}").format(
		_quote(step.action_text) if step.action_text else _("a ToDo"), _who(step)
	)
	return _("{0}, and wait until it is closed").format(text) if step.wait_for_todo else text


def _who(step) -> str:
	kind = step.assign_to or AssignTo.USER
	if kind == AssignTo.USER:
		return get_fullname(step.action_user) if step.action_user else ""
	if kind == AssignTo.OWNER:
		return _("the record's owner")
	return _("one of {0} in turn").format(", ".join(map(get_fullname, read_users(step.action_users))))


def _quote(text: str | None) -> str:
	"""Return a text in quotes, its fields in brackets: [first name] reads better than a template."""
	named = _FIELD.sub(lambda found: f"[{found[1].replace('_', ' ')}]", text or "")
	return f"“{' '.join(named.split())}”"


_SENTENCES = {
	ActionKind.SET_FIELD: _set_field,
	ActionKind.ADD_TAG: lambda step: _("Add the tag {0}").format(_quote(step.action_tag)),
	ActionKind.REMOVE_TAG: lambda step: _("Remove the tag {0}").format(_quote(step.action_tag)),
	ActionKind.ASSIGN: _assign,
	ActionKind.ADD_TO_LIST: lambda step: _("Put on the list {0}").format(_quote(step.action_list)),
	ActionKind.REMOVE_FROM_LIST: lambda step: _("Take off the list {0}").format(_quote(step.action_list)),
	ActionKind.ENROLL: lambda step: _("Enroll in {0}").format(_quote(step.action_campaign)),
	ActionKind.REMOVE: lambda step: _("Take off the campaign {0}").format(_quote(step.action_campaign)),
	ActionKind.NOTIFY: lambda step: _("Tell {0}: {1}").format(_who(step), _quote(step.action_text)),
	ActionKind.WEBHOOK: lambda step: _("Call the Webhook {0}").format(_quote(step.webhook)),
	ActionKind.CREATE: lambda step: _("Create a record: {0}").format(_(step.action_doctype or "")),
}
