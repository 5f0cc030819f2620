"""An audience: the records of one recipient type that match list filters and that the session's user may read."""

import json
from collections.abc import Iterator
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.db.dialect import count_listed

EVERYBODY_FROM = 100  # below this, filters that match every record need no confirmation


class InvalidFiltersError(DripError):
	"""The filters of the audience are invalid."""


class Audience:
	"""The records that list filters match: rows, or a mapping of field to value."""

	target_list: str | None = None  # filters select records directly, not through a list

	def __init__(self, recipient_type: str, filters: str | None) -> None:
		self.recipient_type = recipient_type
		self.filters = _read(recipient_type, filters)

	def count(self) -> int:
		"""Return how many records match; raise InvalidFiltersError for invalid filters."""
		try:
			return count_listed(self.recipient_type, self.filters, distinct=self._uses_child_tables())
		except (
			ValueError,
			TypeError,
			frappe.DataError,
			frappe.db.OperationalError,
			frappe.ValidationError,
		) as error:
			raise _invalid(error) from error

	def is_everybody(self, total: int) -> bool:
		"""Return whether `total` matching records are all that the user may read, and at least EVERYBODY_FROM."""
		if total < EVERYBODY_FROM:
			return False
		return not self.filters or total == count_listed(self.recipient_type, [])

	def page(self, after: str | None, limit: int) -> list[str]:
		"""Return the next names in their order after `after`, at most `limit`."""
		filters = [*self.filters, [self.recipient_type, "name", ">", after or ""]]
		return frappe.get_list(
			self.recipient_type, filters=filters, order_by="name asc", limit_page_length=limit, pluck="name"
		)

	def pages(self, limit: int) -> Iterator[list[str]]:
		"""Yield all names, `limit` at a time."""
		after = None
		while names := self.page(after, limit):
			yield names
			after = names[-1]

	def _uses_child_tables(self) -> bool:
		return any(len(row) > 3 and row[0] != self.recipient_type for row in self.filters)


def _read(recipient_type: str, filters: str | None) -> list[list[Any]]:
	try:
		conditions = json.loads(filters or "[]")
	except ValueError as error:
		raise _invalid(error) from error
	if isinstance(conditions, dict):
		conditions = [[recipient_type, field, "=", value] for field, value in conditions.items()]
	if not isinstance(conditions, list) or not all(
		isinstance(row, list) and len(row) >= 3 for row in conditions
	):
		raise _invalid(_("they are not a list of conditions"))
	for row in conditions:
		doctype, field = row[:2] if len(row) > 3 else (recipient_type, row[0])
		if not frappe.db.exists("DocType", doctype) or not frappe.db.has_column(doctype, field):
			raise _invalid(_("{0} has no field {1}").format(doctype, field))
	return conditions


def _invalid(error: Any) -> InvalidFiltersError:
	return InvalidFiltersError(
		_("The filters cannot be used: {0}. Clear them and choose again.").format(error)
	)
