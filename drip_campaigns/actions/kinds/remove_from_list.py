"""Remove the recipient from a Target List."""

import frappe
from frappe import _

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.kind import Action, quote, require_record
from drip_campaigns.core.flow.actions import ActionKind
from drip_campaigns.enrollment.list_membership import MEMBER
from drip_campaigns.lists.remove_members import remove_members
from drip_campaigns.people.addresses import hash_address


class RemoveFromList(Action):
	"""Ends enrollments that came through the list, where their campaign says so."""

	label = ActionKind.REMOVE_FROM_LIST.value
	needed = ("action_list",)
	rights = ((MEMBER, "write"),)

	def describe(self, step) -> str:
		return _("Remove from the list {0}").format(quote(step.action_list))

	def do(self, context: ActionContext) -> ActionResult:
		name = require_record("Drip Target List", context.step.action_list)
		frappe.has_permission(MEMBER, "write", throw=True)
		address = {"target_list": name, "address_hash": hash_address(context.recipient.email)}
		members = frappe.get_all(MEMBER, filters={**address, "removed_at": ["is", "not set"]}, pluck="name")
		if not members:
			return ActionResult(_("{0} is not on list {1}").format(context.who, name))
		remove_members(name, members, context.now)
		return ActionResult(_("{0} was removed from list {1}").format(context.who, name))
