"""Which fields of a record the texts and conditions of a campaign may read: those that its users may read, never a secret.

The owner's rights count, and in a preview also those of the user who looks at it. A right that was withdrawn counts
from the next run on.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import frappe
from frappe import _
from frappe.model import default_fields

from drip_campaigns.core.errors import DripError
from drip_campaigns.people.record_scope import filter_readable

# A field of this type holds a password. The others are as good as one.
SECRET_TYPES = frozenset({"Password"})
SECRETS: Mapping[str, frozenset[str]] = {"User": frozenset({"api_key", "api_secret", "reset_password_key"})}


class UnreadableFieldError(DripError):
	"""The owner of the campaign may not read a field that a text or a condition names."""


class FieldRights:
	"""The fields that all of `users` may read; without users, every field that is no secret. Read once per DocType."""

	def __init__(self, *users: str) -> None:
		self.users = tuple(dict.fromkeys(user for user in users if user))
		self._names: dict[str, frozenset[str]] = {}

	def of(self, doctype: str) -> frozenset[str]:
		"""Return the readable fields of a DocType."""
		if doctype not in self._names:
			self._names[doctype] = frozenset.intersection(
				_find_public(doctype), *(_find_readable(doctype, user) for user in self.users)
			)
		return self._names[doctype]

	def check(self, doctype: str, fieldname: str) -> None:
		"""Raise UnreadableFieldError for a field that one of the users may not read."""
		if fieldname not in self.of(doctype):
			raise UnreadableFieldError(self.explain(doctype, fieldname))

	def filter_records(self, doctype: str, names: Sequence[str]) -> set[str]:
		"""Return the records that all of the users may read: one query for each who is not the Administrator."""
		readable = set(names)
		for user in self.users:
			if user != "Administrator" and readable:
				readable &= filter_readable(user, doctype, sorted(readable))
		return readable

	def explain(self, doctype: str, fieldname: str) -> str:
		"""Return the sentence about a field that may not be read: who may not read it, and what to do."""
		user = next((user for user in self.users if fieldname not in _find_readable(doctype, user)), None)
		if user is None or fieldname not in _find_public(doctype):
			return _("No campaign can read {0} of {1}. Remove it.").format(fieldname, _(doctype))
		return _(
			"{0} may not read {1} of {2}. Grant the right, remove the field, or assign another owner to the campaign."
		).format(user, fieldname, _(doctype))


class ReadableFields(Mapping[str, Any]):
	"""The fields of one record, for those who may read them: asking for another one raises UnreadableFieldError."""

	__slots__ = ("_doctype", "_fields", "_readable", "_rights")

	def __init__(self, doctype: str, fields: Mapping[str, Any], rights: FieldRights) -> None:
		self._doctype, self._fields, self._rights = doctype, fields, rights
		self._readable = rights.of(doctype)

	def __getitem__(self, fieldname: str) -> Any:
		if fieldname in self._fields and fieldname not in self._readable:
			raise UnreadableFieldError(self._rights.explain(self._doctype, fieldname))
		return self._fields[fieldname]

	def __iter__(self) -> Iterator[str]:
		return (name for name in self._fields if name in self._readable)

	def __len__(self) -> int:
		return sum(1 for _name in self)


def _find_public(doctype: str) -> frozenset[str]:
	fields = frappe.get_meta(doctype).fields
	names = {field.fieldname for field in fields if field.fieldtype not in SECRET_TYPES}
	return frozenset(names.union(default_fields) - SECRETS.get(doctype, frozenset()))


def _find_readable(doctype: str, user: str) -> frozenset[str]:
	"""Return the fields of the permission levels at which a user may read a DocType."""
	if user == "Administrator":
		return _find_public(doctype)
	meta = frappe.get_meta(doctype)
	levels = set(meta.get_permlevel_access("read", user=user))
	if frappe.has_permission(doctype, "read", user=user):
		levels.add(0)  # also by a share, without a role
	else:
		levels.discard(0)
	names = {field.fieldname for field in meta.fields if field.permlevel in levels}
	return frozenset(names.union(default_fields if 0 in levels else ()))
