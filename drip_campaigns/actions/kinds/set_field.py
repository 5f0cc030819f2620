"""Set a field of the recipient's record."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.actions.context import ActionContext, ActionError, ActionResult
from drip_campaigns.actions.field_values import check_levels, find_field_problems
from drip_campaigns.actions.kind import Action, Right, lock_recipient, quote
from drip_campaigns.core.flow.actions import ActionKind
from drip_campaigns.people.recipient_types import available_types


class SetField(Action):
	"""Saves the record as its own form would. Skips records of another type."""

	label = ActionKind.SET_FIELD.value
	needed = ("action_doctype", "action_field")
	optional = ("action_value",)

	def describe(self, step) -> str:
		doctype, field = step.action_doctype, step.action_field
		is_known = doctype and field and frappe.db.exists("DocType", doctype)
		label = _((frappe.get_meta(doctype).get_label(field) if is_known else field) or "…")
		if not step.action_value:
			return _("Clear {0}").format(label)
		return _("Set {0} to {1}").format(label, quote(step.action_value))

	def find_problems(self, campaign, step) -> Iterator[str]:
		types = available_types()
		if step.action_doctype not in types:
			message = _("{0} records cannot be enrolled. Choose one of: {1}.")
			yield message.format(_(step.action_doctype), ", ".join(types))
			return
		yield from find_field_problems(campaign, step.action_doctype, step.action_field, step.action_value)

	def find_rights(self, step, recipient_type: str | None) -> Iterator[Right]:
		yield step.action_doctype, "write"

	def do(self, context: ActionContext) -> ActionResult:
		"""Fill the value from the locked record, so that no step of a counter that many steps raise is lost."""
		step = context.step
		if context.row.recipient_type != step.action_doctype:
			return ActionResult(_("Skipped: {0} isn't a {1}").format(context.who, _(step.action_doctype)))
		document = lock_recipient(context)
		value = context.plain(step.action_value, document)
		if not document.meta.has_field(step.action_field):
			raise ActionError(
				_("{0} no longer has a field {1}.").format(_(document.doctype), step.action_field)
			)
		check_levels(document, [step.action_field])
		document.set(step.action_field, value or None)
		document.save()
		label = _(document.meta.get_label(step.action_field))
		return ActionResult(_("{0} of {1} was set to “{2}”").format(label, context.who, value))
