"""The users whom an action assigns a ToDo or notifies: chosen, checked, and named in a sentence."""

from collections.abc import Iterator

import frappe
from frappe import _
from frappe.utils import get_fullname

from drip_campaigns.actions.context import ActionContext, ActionError
from drip_campaigns.core.flow.actions import AssignTo, choose_in_turn
from drip_campaigns.site import notify

USER_FIELDS = ("assign_to", "action_user", "action_users")


def choose_user(context: ActionContext) -> str:
	"""Return the user that the step means; raise ActionError if none is enabled."""
	kind = AssignTo(context.step.assign_to or AssignTo.USER.value)
	if kind is AssignTo.IN_TURN:
		named = [user for user in read_users(context.step.action_users) if _is_enabled(user)]
		user = choose_in_turn(named, context.turns) if named else None
	else:
		user = context.step.action_user if kind is AssignTo.USER else context.recipient.owner
	if not user or not _is_enabled(user):
		sentence = _("No enabled user was found ({0}). Choose another one in the step.")
		raise ActionError(sentence.format(user or _("nobody")))
	return user


def find_user_problems(step) -> Iterator[str]:
	"""Yield what is wrong with the users that a step names."""
	named = []
	if step.assign_to == AssignTo.IN_TURN:
		named = read_users(step.action_users)
	elif step.assign_to != AssignTo.OWNER:
		named = [step.action_user] if step.action_user else []
	else:
		return
	if not named and not step.is_draft:
		yield _("No user is chosen. Choose one.")
	filters = {"name": ["in", named], "enabled": 1}
	enabled = frappe.get_all("User", filters=filters, pluck="name") if named else []
	for user in named:
		if user not in enabled:
			yield _("User {0} is disabled or does not exist. Choose another one.").format(user)


def name_users(step) -> str:
	"""Return what a sentence calls the users that a step names."""
	kind = step.assign_to or AssignTo.USER
	if kind == AssignTo.USER:
		return get_fullname(step.action_user) if step.action_user else "…"
	if kind == AssignTo.OWNER:
		return _("the record's owner")
	return _("one of {0} in turn").format(", ".join(map(get_fullname, read_users(step.action_users))))


def read_users(text: str | None) -> list[str]:
	"""Return the users that a text names, one per line."""
	return list(dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip()))


def notify_about_recipient(context: ActionContext, user: str, text: str, kind: str) -> str:
	"""Notify a user about the recipient's record, with Frappe's type `kind`; return the Notification Log."""
	about = (context.row.recipient_type, context.row.recipient)
	return notify.insert_notification(user, text, *about, kind)


def _is_enabled(user: str) -> bool:
	return bool(frappe.db.get_value("User", user, "enabled"))
