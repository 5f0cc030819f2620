"""What the owner of a campaign must be allowed so that its actions can be done: asked at activation, and before each is done."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.actions.errors import BrokenActionError
from drip_campaigns.core.flow.actions import ActionKind

Right = tuple[str, str]  # DocType, what is done with it
_RIGHTS: dict[str, tuple[Right, ...]] = {
	ActionKind.ADD_TO_LIST: (("Drip Target List Member", "create"),),
	ActionKind.REMOVE_FROM_LIST: (("Drip Target List Member", "write"),),
	ActionKind.ENROLL: (("Drip Enrollment", "create"),),
	ActionKind.REMOVE: (("Drip Enrollment", "write"),),
	ActionKind.ASSIGN: (("ToDo", "create"),),
	ActionKind.WEBHOOK: (("Webhook", "read"),),
}


def find_missing_rights(step, owner: str, recipient_type: str | None = None) -> Iterator[Right]:
	"""Yield what `owner` lacks to do a step's action for anybody; on a recipient type, if that is known."""
	needed = list(_RIGHTS.get(step.action, ()))
	if step.action == ActionKind.CREATE:
		needed.append((step.action_doctype, "create"))
	elif step.action == ActionKind.SET_FIELD:
		needed.append((step.action_doctype, "write"))
	elif step.action in (ActionKind.ADD_TAG, ActionKind.REMOVE_TAG) and recipient_type:
		needed.append((recipient_type, "write"))
	for doctype, right in needed:
		there = doctype and frappe.db.exists("DocType", doctype)
		if there and not frappe.has_permission(doctype, right, user=owner):
			yield doctype, right


def describe_missing(step, right: Right, owner: str) -> str:
	"""Return the sentence that names the step, the right and the remedy."""
	doctype, verb = right
	sentence = _("Step {0}: {1} has no right to {2} {3} records. Give the right, or take the step out.")
	return sentence.format(step.idx, owner, _(verb), _(doctype))


def check_owner(step, recipient_type: str, owner: str) -> None:
	"""Raise BrokenActionError unless `owner` may do a step's action at all."""
	for right in find_missing_rights(step, owner, recipient_type):
		raise BrokenActionError(describe_missing(step, right, owner))
