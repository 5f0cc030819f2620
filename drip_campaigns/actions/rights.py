"""The rights that a campaign's owner needs for its actions: checked at activation, and before each action is done."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.actions.context import BrokenActionError
from drip_campaigns.actions.kind import Right
from drip_campaigns.actions.registry import ACTION_KINDS


def find_missing_rights(step, owner: str, recipient_type: str | None = None) -> Iterator[Right]:
	"""Yield the rights that `owner` lacks to do a step's action at all; on a recipient type, if that is known."""
	kind = ACTION_KINDS.find(step.action)
	for doctype, right in kind.find_rights(step, recipient_type) if kind else ():
		exists = doctype and frappe.db.exists("DocType", doctype)
		if exists and not frappe.has_permission(doctype, right, user=owner):
			yield doctype, right


def describe_missing(step, right: Right, owner: str) -> str:
	"""Return the sentence that names the step, the right, and what to do."""
	doctype, verb = right
	sentence = _("Step {0}: {1} has no right to {2} {3} records. Grant the right, or remove the step.")
	return sentence.format(step.idx, owner, _(verb), _(doctype))


def check_owner(step, recipient_type: str, owner: str) -> None:
	"""Raise BrokenActionError unless `owner` may do a step's action at all."""
	for right in find_missing_rights(step, owner, recipient_type):
		raise BrokenActionError(describe_missing(step, right, owner))
