"""An audience: the records of one recipient type that match list filters and that the session's user may read."""

from collections.abc import Iterator
from typing import Any

import frappe

from drip_campaigns.db.dialect import as_names, count_listed
from drip_campaigns.people.list_filters import check_filters
from drip_campaigns.people.record_scope import list_readable

EVERYBODY_FROM = 100  # below this, filters that match every record need no confirmation


class Audience:
	"""The records that list filters match; raises InvalidFiltersError for filters that the session's user may not use."""

	target_list: str | None = None  # filters select records directly, not through a list

	def __init__(self, recipient_type: str, filters: Any) -> None:
		self.recipient_type = recipient_type
		self.filters = check_filters(recipient_type, filters, frappe.session.user)

	def count(self) -> int:
		"""Return how many records match."""
		return self._count(self.filters)

	def is_everybody(self, total: int) -> bool:
		"""Return whether `total` matching records are all that the user may read, and at least EVERYBODY_FROM."""
		if total < EVERYBODY_FROM:
			return False
		return not self.filters or total == self._count([])

	def page(self, after: str | None, limit: int) -> list[str]:
		"""Return the next names in their order after `after`, at most `limit`."""
		filters = [*self.filters, [self.recipient_type, "name", ">", after or ""]]
		options = {"order_by": "name asc", "limit_page_length": limit, "pluck": "name"}
		return as_names(list_readable(self.recipient_type, filters=filters, **options))

	def pages(self, limit: int) -> Iterator[list[str]]:
		"""Yield all names, `limit` at a time."""
		after = None
		while names := self.page(after, limit):
			yield names
			after = names[-1]

	def _count(self, filters: list[list[Any]]) -> int:
		# A filter on a child table finds a record once for each of its rows.
		distinct = any(row[0] != self.recipient_type for row in filters)
		listed = list_readable(
			self.recipient_type,
			filters=filters,
			fields=["name"],
			distinct=distinct,
			limit_page_length=0,
			run=False,
		)
		return count_listed(listed)
