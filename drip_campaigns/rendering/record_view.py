"""The recipient's record as a text sees it: the fields that the campaign may read, and no methods but two."""

import re
from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _
from markupsafe import Markup

from drip_campaigns.people.field_rights import FieldRights

METHODS = frozenset({"get", "get_formatted"})
_ESCAPED = re.compile("[&<>\"']")
_HTML_FIELDTYPES = ("Text Editor", "HTML Editor", "Markdown Editor", "HTML")
_CODE = re.compile(r"[A-Z]{3}")


class RecordView:
	"""The recipient's record, read-only. Reading a field that the campaign may not read raises UnreadableFieldError."""

	__slots__ = ("_doctype", "_fields", "_readable", "_rights")
	__iter__ = None  # or Python would ask for field 0

	def __init__(self, doctype: str, fields: Mapping[str, Any], rights: FieldRights) -> None:
		self._doctype, self._fields, self._rights = doctype, fields, rights
		self._readable = rights.of(doctype)

	def __repr__(self) -> str:
		return "doc"

	def has(self, name: str) -> bool:
		"""Return whether a name is a field, which neither a method nor a column of Frappe's own is."""
		return name in self._fields and name[:1] != "_" and name not in METHODS

	def read(self, fieldname: str) -> Any:
		"""Return the value of a field that the record has."""
		value = self._fields[fieldname]
		if fieldname not in self._readable:
			self._rights.check(self._doctype, fieldname)
		if not isinstance(value, str) or not _ESCAPED.search(value):
			return value  # escaping would not change it
		field = self._field(fieldname)
		# Frappe has sanitized these when the record was saved; escaping them would show their tags.
		return Markup(value) if field and field.fieldtype in _HTML_FIELDTYPES else value  # nosec B704 # an HTML field of the record, which Frappe sanitized on saving

	def explain_missing(self, fieldname: str) -> str:
		"""Return why a text cannot read a name of the record, and the remedy."""
		message = _(
			'doc.{0} is not a field of {1}, the type of this recipient. Write doc.get("{0}") instead.'
		)
		return message.format(fieldname, _(self._doctype))

	def get(self, fieldname: str, default: Any = None) -> Any:
		"""Return the field's value, or `default` when the record has no such field."""
		return self.read(fieldname) if self.has(fieldname) else default

	def get_formatted(self, fieldname: str) -> str:
		"""Return the field's value as Desk would show it; an amount in the currency that the record names, if any."""
		value, field = self.get(fieldname), self._field(fieldname)
		if field is None:
			return value
		currency = self.get(field.options) if field.fieldtype == "Currency" and field.options else None
		is_code = isinstance(currency, str) and _CODE.fullmatch(currency)
		return frappe.format_value(value, field, currency=currency if is_code else None)

	def _field(self, fieldname: str) -> Any:
		return frappe.get_meta(self._doctype).get_field(fieldname)
