"""Create a record for the recipient."""

from collections.abc import Iterator, Mapping
from typing import Any

import frappe
from frappe import _

from drip_campaigns.actions.action_texts import KNOWN_NAMES, read_values
from drip_campaigns.actions.context import ActionContext, ActionError, ActionResult
from drip_campaigns.actions.field_values import check_levels, find_field_problems
from drip_campaigns.actions.kind import Action, Right
from drip_campaigns.core.flow.actions import ActionKind
from drip_campaigns.db.field_values import clean_values
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.rendering.templates import find_problem
from drip_campaigns.rendering.text_rights import rights_of

_NAMED_BY_FRAPPE = ("naming_series",)


class CreateDocument(Action):
	"""Inserts a document with the step's values, each filled for the recipient."""

	label = ActionKind.CREATE.value
	needed = ("action_doctype", "action_values")

	def describe(self, step) -> str:
		return _("Create a record: {0}").format(_(step.action_doctype or "…"))

	def find_problems(self, campaign, step) -> Iterator[str]:
		try:
			values = read_values(step.action_values)
		except ValueError as error:
			yield _("Values cannot be read: {0}. Write them as {1}.").format(error, '{"field": "value"}')
			return
		meta = frappe.get_meta(step.action_doctype)
		if meta.istable or meta.issingle:
			message = _("{0} cannot be created on its own. Choose another record type.")
			yield message.format(_(step.action_doctype))
			return
		rights = rights_of(campaign, step)
		for fieldname, value in values.items():
			yield from find_field_problems(campaign, step.action_doctype, fieldname, value)
			problem = (
				find_problem(value, available_types(), rights, KNOWN_NAMES)
				if isinstance(value, str)
				else None
			)
			if problem:
				yield f"{fieldname}: {problem.message}."

	def find_warnings(self, step) -> Iterator[str]:
		"""Yield the mandatory fields that the values leave empty; the DocType's own code may fill them."""
		missing = find_missing(step.action_doctype, read_values(step.action_values))
		if missing:
			named = ", ".join(_(field.label) for field in missing)
			sentence = _("{0} needs {1}, but Values leaves it empty. Press Set Values in the step.")
			yield sentence.format(_(step.action_doctype), named)

	def find_rights(self, step, recipient_type: str | None) -> Iterator[Right]:
		yield step.action_doctype, "create"

	def do(self, context: ActionContext) -> ActionResult:
		doctype = context.step.action_doctype
		if not frappe.db.exists("DocType", doctype):
			raise ActionError(_("This site no longer has {0} records.").format(doctype))
		document = frappe.new_doc(doctype)
		values = read_values(context.step.action_values)
		check_levels(document, values)
		texts = {field: context.plain(value) for field, value in values.items() if isinstance(value, str)}
		document.update({**values, **clean_values(doctype, texts)})
		document.insert()
		text = _("{0} {1} was created for {2}").format(_(doctype), document.name, context.who)
		return ActionResult(text, doctype, document.name)


def find_missing(doctype: str, values: Mapping[str, Any]) -> list:
	"""Return the mandatory DocFields of a new document that have neither one of these values nor a default."""
	document = frappe.new_doc(doctype)
	return [
		field
		for field in document.meta.get("fields", {"reqd": 1})
		if field.fieldname not in _NAMED_BY_FRAPPE
		and values.get(field.fieldname) in (None, "")
		and document.get(field.fieldname) in (None, "", [])
	]
