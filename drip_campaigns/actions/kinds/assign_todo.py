"""Assign a ToDo about the recipient's record to a user."""

from collections.abc import Iterator

import frappe
from frappe import _
from frappe.utils import add_days

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.kind import Action, quote
from drip_campaigns.actions.users import (
	USER_FIELDS,
	choose_user,
	find_user_problems,
	name_users,
	notify_about_recipient,
)
from drip_campaigns.core.flow.actions import ActionKind, RunWhen
from drip_campaigns.db.field_values import clean_values
from drip_campaigns.site.clock import site_date
from drip_campaigns.site.messages import as_html, strip_markup


class AssignTodo(Action):
	"""Shares the record with the user if they may not read it and the owner may share it."""

	label = ActionKind.ASSIGN.value
	optional = (*USER_FIELDS, "action_text", "due_in_days", "wait_for_todo")
	rights = (("ToDo", "create"),)

	def describe(self, step) -> str:
		what = quote(step.action_text) if step.action_text else _("a ToDo")
		text = _("Assign {0} to {1}").format(what, name_users(step))
		waits = step.wait_for_todo and step.run_when != RunWhen.ON_EXIT
		return _("{0}, and wait until it is closed").format(text) if waits else text

	def find_problems(self, campaign, step) -> Iterator[str]:
		yield from find_user_problems(step)

	def do(self, context: ActionContext) -> ActionResult:
		user, row, step = choose_user(context), context.row, context.step
		text = context.html(step.action_text) or as_html(
			_("Campaign {0}: follow up with {1}"), context.campaign.campaign_name, context.who
		)
		frappe.get_doc(row.recipient_type, row.recipient).check_permission("read")
		todo = frappe.get_doc(
			doctype="ToDo",
			allocated_to=user,
			reference_type=row.recipient_type,
			reference_name=row.recipient,
			**clean_values("ToDo", {"description": str(text)}),
			date=add_days(site_date(context.now), step.due_in_days or 0),
			assigned_by=frappe.session.user,
		).insert()
		_share_record(context, user)
		notify_about_recipient(context, user, _("To do: {0}").format(strip_markup(text)[:200]), "Assignment")
		sentence = _("{0} got a ToDo about {1}").format(user, context.who)
		return ActionResult(sentence, "ToDo", todo.name, is_open=True)


def _share_record(context: ActionContext, user: str) -> None:
	document = frappe.get_doc(context.row.recipient_type, context.row.recipient)
	may_read = frappe.has_permission(document.doctype, "read", doc=document, user=user)
	if not may_read and frappe.has_permission(document.doctype, "share", doc=document):
		frappe.share.add(document.doctype, document.name, user, read=1)
