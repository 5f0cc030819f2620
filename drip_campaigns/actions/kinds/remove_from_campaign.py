"""Remove the recipient from another campaign, or from this one."""

import frappe
from frappe import _

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.kind import Action, quote, require_record
from drip_campaigns.core.flow.actions import ActionKind
from drip_campaigns.core.model import ExitReason
from drip_campaigns.enrollment.exit import exit_enrollments, find_live_of


class RemoveFromCampaign(Action):
	"""Ends the enrollment, and cancels its queued emails."""

	label = ActionKind.REMOVE.value
	needed = ("action_campaign",)
	rights = (("Drip Enrollment", "write"),)

	def describe(self, step) -> str:
		return _("Remove from the campaign {0}").format(quote(step.action_campaign))

	def do(self, context: ActionContext) -> ActionResult:
		name = require_record("Drip Campaign", context.step.action_campaign)
		frappe.has_permission("Drip Enrollment", "write", throw=True)
		live = find_live_of(context.row.email_address, campaign=name)
		reason = _("Removed by campaign {0}").format(context.campaign.campaign_name)
		if not exit_enrollments(live, ExitReason.REMOVED, reason, context.now):
			return ActionResult(_("{0} is not in campaign {1}").format(context.who, name))
		return ActionResult(_("{0} was removed from campaign {1}").format(context.who, name))
