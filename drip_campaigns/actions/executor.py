"""Doing the actions of a batch of recipients: what they need is loaded once, and each kind is a function of a few lines.

Everything is done through Frappe's documents, with the rights of the session's user, who is the campaign's owner.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property

import frappe
from frappe import _

from drip_campaigns.actions import action_rows, memberships, people, records, rights, webhooks
from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.errors import ActionError
from drip_campaigns.core.flow.actions import ActionKind, RunWhen
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.people.recipients import Recipient, load_enrolled
from drip_campaigns.plans.enrollment_state import LIVE_VALUES

_DO: dict[ActionKind, Callable[[ActionContext], ActionResult]] = {
	ActionKind.SET_FIELD: records.set_field,
	ActionKind.ADD_TAG: records.add_tag,
	ActionKind.REMOVE_TAG: records.remove_tag,
	ActionKind.ASSIGN: people.assign,
	ActionKind.ADD_TO_LIST: memberships.add_to_list,
	ActionKind.REMOVE_FROM_LIST: memberships.remove_from_list,
	ActionKind.ENROLL: memberships.enroll_in,
	ActionKind.REMOVE: memberships.remove_from,
	ActionKind.NOTIFY: people.notify_user,
	ActionKind.CREATE: records.create_document,
}


class ActionExecutor:
	"""What the actions of a batch have at hand."""

	def __init__(self, campaign, rows: Sequence[frappe._dict], now: datetime) -> None:
		self.campaign, self.rows, self.now = campaign, rows, now
		self.steps = {step.name: step for step in campaign.steps}
		self.turns: dict[str, dict[str, int]] = {}

	def do(self, row: frappe._dict) -> ActionResult:
		"""Do one action; raises what cannot be done, BrokenActionError if nobody's can be."""
		if passed_over := self._is_too_late(row):
			return passed_over
		job = self._make_job(row)
		rights.check_owner(job.step, row.recipient_type, self.campaign.owner)
		done = _DO[ActionKind(row.action)](job)
		if done.doctype in ("ToDo", "Notification Log"):
			self._count_turn(job, done)
		return done

	def prepare_call(self, row: frappe._dict) -> "webhooks.Call | ActionResult":
		"""Return the request of a Webhook, or what became of it without one."""
		if passed_over := self._is_too_late(row):
			return passed_over
		job = self._make_job(row)
		rights.check_owner(job.step, row.recipient_type, self.campaign.owner)
		if not frappe.db.exists("Webhook", job.step.webhook):
			raise ActionError(
				_("Webhook {0} is not there any more. Choose another one.").format(job.step.webhook)
			)
		doctype = frappe.db.get_value("Webhook", job.step.webhook, "webhook_doctype")
		about = (row.recipient_type, row.recipient)
		if doctype == "Drip Enrollment":
			about = ("Drip Enrollment", row.enrollment)
		elif doctype != row.recipient_type:
			return ActionResult(_("Passed over: {0} is no {1}").format(job.who, _(doctype)))
		document = frappe.get_doc(*about)
		document.check_permission("read")
		return webhooks.prepare(job.step.webhook, document, row.name)

	def _make_job(self, row: frappe._dict) -> ActionContext:
		step = self.steps.get(row.step)
		if step is None or step.action != row.action:
			raise ActionError(_("The step was changed or removed from the campaign before this was done."))
		recipient = self.recipients.get((row.recipient_type, row.recipient))
		if recipient is None:
			raise ActionError(_("{0} {1} no longer exists.").format(_(row.recipient_type), row.recipient))
		return ActionContext(row, step, self.campaign, recipient, self.now, self._turns_of(row.step))

	def _is_too_late(self, row: frappe._dict) -> ActionResult | None:
		if self.campaign.status == CampaignStatus.ENDED.value:
			return ActionResult(_("Passed over: the campaign was ended"))
		step = self.steps.get(row.step)
		is_for_leavers = step is not None and step.run_when == RunWhen.ON_EXIT
		if is_for_leavers and self.statuses.get(row.enrollment) in LIVE_VALUES:
			return ActionResult(_("Passed over: the recipient has come back"))
		return None

	@cached_property
	def statuses(self) -> dict[str, str]:
		"""How the enrollments stand."""
		filters = {"name": ["in", [row.enrollment for row in self.rows]]}
		return dict(
			frappe.get_all("Drip Enrollment", filters=filters, fields=["name", "status"], as_list=True)
		)

	@cached_property
	def recipients(self) -> dict[tuple[str, str], Recipient]:
		"""The records of the batch."""
		return load_enrolled(self.rows)

	def _turns_of(self, step: str) -> dict[str, int]:
		if step not in self.turns:
			self.turns[step] = action_rows.count_assigned(step)
		return self.turns[step]

	def _count_turn(self, job: ActionContext, done: ActionResult) -> None:
		field = "allocated_to" if done.doctype == "ToDo" else "for_user"
		user = frappe.db.get_value(done.doctype, done.name, field)
		turns = self._turns_of(job.row.step)
		turns[user] = turns.get(user, 0) + 1
