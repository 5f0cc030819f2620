"""Add the recipient to a Target List."""

import frappe
from frappe import _

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.kind import Action, quote, require_record
from drip_campaigns.core.flow.actions import ActionKind
from drip_campaigns.enrollment.list_membership import MEMBER, clear_removed
from drip_campaigns.people.addresses import hash_address


class AddToList(Action):
	"""Changes nothing for a member, or for a person who opted out of the list."""

	label = ActionKind.ADD_TO_LIST.value
	needed = ("action_list",)
	rights = ((MEMBER, "create"),)

	def describe(self, step) -> str:
		return _("Add to the list {0}").format(quote(step.action_list))

	def do(self, context: ActionContext) -> ActionResult:
		name = require_record("Drip Target List", context.step.action_list)
		address = {"target_list": name, "address_hash": hash_address(context.recipient.email)}
		member = frappe.db.get_value(MEMBER, address, ["opted_out", "removed_at"], as_dict=True)
		if member and member.opted_out:
			return ActionResult(
				_("{0} opted out of list {1}, and was not added again").format(context.who, name)
			)
		if member and not member.removed_at:
			return ActionResult(_("{0} is on list {1} already").format(context.who, name))
		frappe.has_permission(MEMBER, "create", throw=True)
		clear_removed(name, context.recipient.email)
		person = {"recipient_type": context.row.recipient_type, "recipient": context.row.recipient}
		frappe.get_doc(doctype=MEMBER, target_list=name, **person).insert()
		return ActionResult(_("{0} was added to list {1}").format(context.who, name))
