"""What an action kind is: the base class of the files in `kinds/`, one file for each kind. `registry.py` collects them."""

import re
from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.actions.context import ActionContext, ActionError, ActionResult

Right = tuple[str, str]  # DocType, permission type
_FIELD = re.compile(r"{{\s*\w+\.(\w+)[^}]*}}")


class Action:
	"""One kind of action that a step can do. Methods get the step's row, saved or not."""

	label: str
	needed: tuple[str, ...] = ()  # fields that must be filled
	optional: tuple[str, ...] = ()  # fields that may be filled
	rights: tuple[Right, ...] = ()  # that the campaign's owner needs for every recipient
	calls_out = False  # calls another system, outside of a transaction: see `prepare_call`
	enrolls_in_campaign = False  # enrolls in `action_campaign`

	@property
	def fields(self) -> tuple[str, ...]:
		"""The fields of a step that mean something for this kind."""
		return (*self.needed, *self.optional)

	def describe(self, step) -> str:
		"""Return what the action does, in the language of the session's user: "Add the tag “Hot”"."""
		raise NotImplementedError

	def find_problems(self, campaign, step) -> Iterator[str]:
		"""Yield what forbids saving a step whose needed fields are filled. Each says what to do."""
		return iter(())

	def find_warnings(self, step) -> Iterator[str]:
		"""Yield what may be wrong with a step that can be saved."""
		return iter(())

	def find_rights(self, step, recipient_type: str | None) -> Iterator[Right]:
		"""Yield the rights that the action needs; of a recipient's record only if its type is known."""
		yield from self.rights

	def do(self, context: ActionContext) -> ActionResult:
		"""Do the action for one recipient with the rights of the session's user, who is the campaign's owner.

		Raises ActionError for what cannot be done for this recipient. Runs in a savepoint and never commits.
		"""
		raise NotImplementedError


def quote(text: str | None) -> str:
	"""Return a text in quotes, its fields in brackets: [first name] reads better than a template."""
	named = _FIELD.sub(lambda found: f"[{found[1].replace('_', ' ')}]", text or "")
	return f"“{' '.join(named.split())}”"


def require_record(doctype: str, name: str | None) -> str:
	"""Return `name`; raise ActionError if there is no such record."""
	if not name or not frappe.db.exists(doctype, name):
		sentence = _("{0} {1} no longer exists. Choose another one in the step.")
		raise ActionError(sentence.format(_(doctype), name or ""))
	return name


def lock_recipient(context: ActionContext):
	"""Return the recipient's record as it is now, locked. Raises frappe.PermissionError if the owner may not change it."""
	document = frappe.get_doc(context.row.recipient_type, context.row.recipient, for_update=True)
	document.check_permission("write")
	return document
