"""Enroll the recipient in another campaign."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.kind import Action, quote, require_record
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.actions import ActionKind
from drip_campaigns.enrollment.enroll import enroll
from drip_campaigns.site.messages import read_error

SAVE_POINT = "drip_action_enroll"


class EnrollInCampaign(Action):
	"""The rules of that campaign decide. If they refuse, the outcome says why, and the action has not failed."""

	label = ActionKind.ENROLL.value
	needed = ("action_campaign",)
	rights = (("Drip Enrollment", "create"),)
	enrolls_in_campaign = True

	def describe(self, step) -> str:
		return _("Enroll in {0}").format(quote(step.action_campaign))

	def find_problems(self, campaign, step) -> Iterator[str]:
		if step.action_campaign == (campaign.name or campaign.campaign_name):
			yield _("A campaign cannot enroll in itself. Choose another one.")

	def do(self, context: ActionContext) -> ActionResult:
		name = require_record("Drip Campaign", context.step.action_campaign)
		frappe.has_permission("Drip Enrollment", "create", throw=True)
		frappe.db.savepoint(SAVE_POINT)
		try:
			enrollment = enroll(name, context.row.recipient_type, context.row.recipient, context.now)
		except frappe.PermissionError:
			raise
		except (DripError, frappe.ValidationError) as error:
			frappe.db.rollback(save_point=SAVE_POINT)
			frappe.clear_messages()
			reason = read_error(error)
			return ActionResult(_("Not enrolled in {0}: {1}").format(name, reason))
		text = _("{0} was enrolled in {1}").format(context.who, name)
		return ActionResult(text, "Drip Enrollment", enrollment.name)
