"""The people who met a trigger before it was active: counted, and read page by page for a Drip Bulk Enrollment. Reads only.

A kind whose events leave no trace in the records has nobody.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.db.amendments import not_canceled
from drip_campaigns.db.dialect import as_names, count_matching
from drip_campaigns.enrollment.preview import count_pages
from drip_campaigns.people.list_filters import check_filters
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.people.record_scope import filter_readable, find_read_condition
from drip_campaigns.triggers.find_people import find_matching, read_trigger_filters
from drip_campaigns.triggers.kind import Filters, Source
from drip_campaigns.triggers.registry import TRIGGER_KINDS
from drip_campaigns.triggers.trigger_cache import load_rows

LOOK_AHEAD = 20_000  # finding the next people may read the whole log: not for each page
MOST_JUDGED = 10_000  # people of one audience, while a user waits for the number


class TriggerGoneError(DripError):
	"""The trigger was removed from its campaign. Reload the form."""


class ExistingAudience:
	"""The records of one type that met a trigger before, like an audience by filters (enrollment/audience.py)."""

	def __init__(self, campaign: str, trigger: str, recipient_type: str) -> None:
		rows = load_rows(trigger=trigger)
		if not rows or rows[0].parent != campaign:
			raise TriggerGoneError()
		self.trigger, self.recipient_type = rows[0], recipient_type
		filters = read_trigger_filters(self.trigger)
		self.users = tuple(dict.fromkeys((frappe.session.user, self.trigger.owner)))
		self.filters = check_filters(recipient_type, filters, *self.users) if filters else filters
		found = TRIGGER_KINDS.get(self.trigger.kind).find_existing(self.trigger, recipient_type)
		# Either filters on the recipient's own record, or a query over other records.
		self._own_filters: Filters | None = found if isinstance(found, list) else None
		self._source: Source | None = None if isinstance(found, list) else found
		self._ahead: list[str] = []

	@property
	def target_list(self) -> str | None:
		"""The list through which they come: the campaign's rule for people who leave it applies to them."""
		return self.trigger.target_list

	def count(self) -> int:
		"""Return how many there are that the session's user and the campaign's owner may read, with one statement."""
		rights = [find_read_condition(user, self.recipient_type) for user in self.users]
		if self._own_filters is not None:
			return count_matching(self.recipient_type, [*self._own_filters, *self.filters], conditions=rights)
		if self._source is None:
			return 0
		query, person = self._source
		return count_matching(self.recipient_type, self.filters, query.select(person), rights)

	def has_met(self, name: str) -> bool:
		"""Return whether one record met the trigger before, without regard to its filters."""
		if self._own_filters is not None:
			return bool(find_matching(self.recipient_type, self._own_filters, [name]))
		if self._source is None:
			return False
		query, person = self._source
		return bool(query.select(person).where(person == name).limit(1).run())

	def is_everybody(self, _total: int) -> bool:
		"""Return whether every record of the type is meant, so that the user must confirm the number."""
		return self._own_filters == not_canceled(self.recipient_type) and not self.filters

	def page(self, after: str | None, limit: int) -> list[str]:
		"""Return the next names in their order, at most `limit`; none only if there are no more."""
		while names := self._candidates(after or "", limit):
			matching = find_matching(self.recipient_type, self.filters, names)
			for user in self.users:
				matching = filter_readable(user, self.recipient_type, sorted(matching))
			if matching:
				return [name for name in names if name in matching]  # in the order of the database
			after = names[-1]
		return []

	def pages(self, limit: int) -> Iterator[list[str]]:
		"""Yield all names, `limit` at a time."""
		after = None
		while names := self.page(after, limit):
			yield names
			after = names[-1]

	def _candidates(self, after: str, limit: int) -> list[str]:
		if self._own_filters is not None:
			filters = [*self._own_filters, [self.recipient_type, "name", ">", after]]
			options = {"order_by": "name asc", "limit_page_length": limit, "pluck": "name"}
			return as_names(frappe.get_all(self.recipient_type, filters=filters, **options))
		if after not in self._ahead[:-1]:
			self._ahead = [after, *self._read_ahead(after, max(limit, LOOK_AHEAD))]
		begin = self._ahead.index(after) + 1
		return self._ahead[begin : begin + limit]

	def _read_ahead(self, after: str, limit: int) -> list[str]:
		if self._source is None:
			return []
		query, person = self._source
		query = query.select(person).distinct().where(person > after)
		return query.orderby(person).limit(limit).run(pluck=True)


def count_existing(campaign, now: datetime) -> list[dict[str, Any]]:
	"""Return how many people of which type would be enrolled now because they met a trigger before, without empty ones.

	`count` is how many the run would enroll, by the rules of the run itself; `total` is how many records it looks at, which
	the run has confirmed. Both are of each audience by itself. Of an audience above MOST_JUDGED, the rules judge only so many:
	`is_at_most` says that `count` is then a limit.
	"""
	lists = [frappe._dict(name=row.name, sentence=_on_list(row)) for row in campaign.target_lists]
	counts = []
	for row in [*(row for row in campaign.triggers if row.enabled), *lists]:
		for doctype in [row.recipient_type] if row.recipient_type else available_types():
			audience = ExistingAudience(campaign.name, row.name, doctype)
			total = audience.count()
			judged = count_pages(campaign, audience, now, most=MOST_JUDGED) if total else None
			if judged and (count := max(total - judged.looked_at, 0) + judged.enrolled + judged.resumed):
				about = {"trigger": row.name, "sentence": row.sentence, "recipient_type": doctype}
				is_at_most = judged.looked_at < total
				counts.append({**about, "count": count, "total": total, "is_at_most": is_at_most})
	return counts


def _on_list(row) -> str:
	return _("Members of the list {0}").format(row.target_list)
