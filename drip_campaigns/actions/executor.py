"""Do the actions of a batch of recipients. What they need is loaded once for the batch.

Every action works through Frappe's documents, with the rights of the session's user, who is the campaign's owner.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

import frappe
from frappe import _

from drip_campaigns.actions import action_rows, rights
from drip_campaigns.actions.context import ActionContext, ActionError, ActionResult, BrokenActionError
from drip_campaigns.actions.registry import ACTION_KINDS
from drip_campaigns.actions.webhooks import WebhookCall
from drip_campaigns.core.flow.actions import RunWhen
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.field_rights import UnreadableFieldError
from drip_campaigns.people.recipients import Recipient, load_enrolled
from drip_campaigns.plans.enrollment_state import LIVE_VALUES


class ActionExecutor:
	"""Does the actions of one batch."""

	def __init__(self, campaign, rows: Sequence[frappe._dict], now: datetime) -> None:
		self.campaign, self.rows, self.now = campaign, rows, now
		self.steps = {step.name: step for step in campaign.steps}
		self.turns: dict[str, dict[str, int]] = {}

	def do(self, row: frappe._dict) -> ActionResult:
		"""Do one action. Raises ActionError if it cannot be done; BrokenActionError if it cannot be done for anybody."""
		if skipped := self._find_skip(row):
			return skipped
		context = self._make_context(row)
		with _fields_are_readable():
			result = ACTION_KINDS.get(row.action).do(context)
		if result.doctype in ("ToDo", "Notification Log"):
			self._count_turn(context, result)
		return result

	def prepare_call(self, row: frappe._dict) -> WebhookCall | ActionResult:
		"""Return the request of an action that calls another system, or its result if there is no request. Raises as `do`."""
		if skipped := self._find_skip(row):
			return skipped
		context = self._make_context(row)
		with _fields_are_readable():
			return ACTION_KINDS.get(row.action).prepare_call(context)

	def _make_context(self, row: frappe._dict) -> ActionContext:
		step = self.steps.get(row.step)
		if step is None or step.action != row.action:
			raise ActionError(_("The step was changed or removed before the action was done."))
		recipient = self.recipients.get((row.recipient_type, row.recipient))
		if recipient is None or not recipient.is_of(self.enrollments.get(row.enrollment, {})):
			raise ActionError(_("{0} {1} no longer exists.").format(_(row.recipient_type), row.recipient))
		rights.check_owner(step, row.recipient_type, self.campaign.owner)
		return ActionContext(row, step, self.campaign, recipient, self.now, self._load_turns(row.step))

	def _find_skip(self, row: frappe._dict) -> ActionResult | None:
		if self.campaign.status == CampaignStatus.ENDED.value:
			return ActionResult(_("Skipped: the campaign was ended"))
		step = self.steps.get(row.step)
		is_exit_step = step is not None and step.run_when == RunWhen.ON_EXIT
		if is_exit_step and self.enrollments.get(row.enrollment, {}).get("status") in LIVE_VALUES:
			return ActionResult(_("Skipped: the recipient was enrolled again"))
		return None

	@cached_property
	def enrollments(self) -> dict[str, frappe._dict]:
		"""The enrollments: their status, and which record they are about."""
		names = [row.enrollment for row in self.rows]
		rows = select_in("Drip Enrollment", ["name", "status", "recipient_created_at"], "name", names)
		return {row.name: row for row in rows}

	@cached_property
	def recipients(self) -> dict[tuple[str, str], Recipient]:
		"""The recipients of the batch."""
		return load_enrolled(self.rows)

	def _load_turns(self, step: str) -> dict[str, int]:
		if step not in self.turns:
			self.turns[step] = action_rows.count_assigned(step)
		return self.turns[step]

	def _count_turn(self, context: ActionContext, result: ActionResult) -> None:
		field = "allocated_to" if result.doctype == "ToDo" else "for_user"
		user = frappe.db.get_value(result.doctype, result.name, field)
		turns = self._load_turns(context.row.step)
		turns[user] = turns.get(user, 0) + 1


@contextmanager
def _fields_are_readable() -> Iterator[None]:
	"""Raise BrokenActionError where an action names a field that the owner may not read: it cannot be done for anybody."""
	try:
		yield
	except UnreadableFieldError as error:
		raise BrokenActionError(str(error)) from error
