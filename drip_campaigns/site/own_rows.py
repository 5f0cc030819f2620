"""What Frappe's save takes from the request and should not: another owner, and rows of another record."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.plain_text import join_lines
from drip_campaigns.site.messages import refuse


def check_own_rows(document: Document, _event: str = "") -> None:
	"""Raise PermissionError if a save would change the owner, or take over child rows of another record.

	Frappe reads the owner, on which rights depend, and the names of the rows from the request. `hooks.py` has Frappe call
	this before each save of every DocType of the app that a role may write.
	"""
	stored = document.get_doc_before_save()
	if stored is None:
		return
	if document.owner != stored.owner:
		message = _("The owner of {0} cannot be edited. Reload the form, then try again.")
		refuse(message, document.name, exc=frappe.PermissionError)
	for field in document.meta.get_table_fields():
		own = {row.name for row in stored.get(field.fieldname)}
		if any(not row.is_new() and row.name not in own for row in document.get(field.fieldname)):
			message = _("A row of {0} belongs to another record. Reload the form, then try again.")
			refuse(message, document.name, exc=frappe.PermissionError)


def join_lines_of_names(document: Document, _event: str = "") -> None:
	"""Put the Data fields of a record and its child rows on one line: names and subjects end up in headers of emails."""
	for row in (document, *document.get_all_children()):
		for field in row.meta.get("fields", {"fieldtype": "Data"}):
			if isinstance(value := row.get(field.fieldname), str):
				row.set(field.fieldname, join_lines(value))


def check_new_name(document: Document, _event: str, _old: str, new: str, _merge: bool = False) -> None:
	"""Raise ValidationError if the new name of a record has line breaks or other control characters."""
	if join_lines(new) != new:
		refuse(_("The name {0} has a line break. Enter it on one line."), join_lines(new))


class OnlyInParent(Document):
	"""A child row that is saved with its parent only, where the rules of the parent are checked.

	Frappe calls these methods only if the row is saved or deleted on its own.
	"""

	def validate(self) -> None:
		"""Refuse to save the row without its parent."""
		self._refuse()

	def on_trash(self) -> None:
		"""Refuse to delete the row without its parent."""
		self._refuse()

	def _refuse(self) -> None:
		message = _("A row of {0} is changed in its record only. Open {0} {1} and save it there.")
		refuse(message, _(self.parenttype or ""), self.parent, exc=frappe.PermissionError)
