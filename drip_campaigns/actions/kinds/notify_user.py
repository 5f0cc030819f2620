"""Notify a user about the recipient, in Desk and optionally by email."""

from collections.abc import Iterator

import frappe
from frappe import _
from frappe.desk.doctype.notification_settings.notification_settings import (
	is_email_notifications_enabled_for_type,
)
from markupsafe import Markup

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.kind import Action, quote
from drip_campaigns.actions.users import (
	USER_FIELDS,
	choose_user,
	find_user_problems,
	name_users,
	notify_about_recipient,
)
from drip_campaigns.core.flow.actions import ActionKind
from drip_campaigns.site.messages import link_to_form, strip_markup


class NotifyUser(Action):
	"""The text shows only what the owner may read."""

	label = ActionKind.NOTIFY.value
	needed = ("action_text",)
	optional = (*USER_FIELDS, "by_email")

	def describe(self, step) -> str:
		return _("Notify {0}: {1}").format(name_users(step), quote(step.action_text))

	def find_problems(self, campaign, step) -> Iterator[str]:
		yield from find_user_problems(step)

	def do(self, context: ActionContext) -> ActionResult:
		user = choose_user(context)
		frappe.get_doc(context.row.recipient_type, context.row.recipient).check_permission("read")
		text = context.html(context.step.action_text)
		log = notify_about_recipient(context, user, text, "Alert")
		if context.step.by_email and not is_email_notifications_enabled_for_type(user, "Alert"):
			_send_email(context, user, text)
		return ActionResult(
			_("{0} was notified about {1}").format(user, context.who), "Notification Log", log
		)


def _send_email(context: ActionContext, user: str, text: Markup) -> None:
	link = link_to_form(context.row.recipient_type, context.row.recipient, context.who)
	frappe.sendmail(
		recipients=[frappe.db.get_value("User", user, "email")],
		subject=strip_markup(text)[:140] or context.campaign.campaign_name,
		message=str(Markup("<p>{0}</p><p>{1}</p>").format(text, link)),
		reference_doctype="Drip Enrollment",
		reference_name=context.row.enrollment,
	)
