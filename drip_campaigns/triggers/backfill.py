"""Who met a trigger before it listened: counted, and paged through for a Drip Bulk Enrollment. Reads only.

Dates, Web Forms, received emails and calls leave no trace that could be read again, so they have nobody. Of
purchases, only documents that name the person themselves count.
"""

from collections.abc import Iterator
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.triggers import TriggerKind
from drip_campaigns.db.dialect import count_matching
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.triggers.backfill_sources import SOURCES, Source
from drip_campaigns.triggers.find_people import find_matching, read_filters
from drip_campaigns.triggers.trigger_cache import load_rows

LOOK_AHEAD = 20_000  # finding the next people may read the whole log: not for each page anew
OWN_RECORDS = frozenset(
	{TriggerKind.RECORD_CREATED, TriggerKind.FIELD_REACHED_VALUE, TriggerKind.JOINED_EMAIL_GROUP}
)


class TriggerGoneError(DripError):
	"""The trigger was removed from its campaign. Reload the form."""


class ExistingAudience:
	"""The records of one type that met a trigger before, like an audience by filters (enrollment/audience.py)."""

	def __init__(self, campaign: str, trigger: str, recipient_type: str) -> None:
		rows = load_rows(trigger=trigger)
		if not rows or rows[0].parent != campaign:
			raise TriggerGoneError()
		self.trigger, self.recipient_type = rows[0], recipient_type
		self.kind, self.filters = TriggerKind(rows[0].kind), read_filters(rows[0])
		self._ahead: list[str] = []

	@property
	def target_list(self) -> str | None:
		"""The list through which they come: who leaves it later must be heard."""
		return self.trigger.target_list if self.kind is TriggerKind.JOINED_TARGET_LIST else None

	def count(self) -> int:
		"""Return how many there are: one statement, however many."""
		if self.kind in OWN_RECORDS:
			return count_matching(self.recipient_type, [*self._own_filters(), *self.filters])
		found = self._source()
		if found is None:
			return 0
		query, person = found
		return count_matching(self.recipient_type, self.filters, query.select(person))

	def has_met(self, name: str) -> bool:
		"""Say whether one record met the trigger before, whatever its filters."""
		if self.kind in OWN_RECORDS:
			return bool(find_matching(self.recipient_type, self._own_filters(), [name]))
		found = self._source()
		if found is None:
			return False
		query, person = found
		return bool(query.select(person).where(person == name).limit(1).run())

	def is_everybody(self, _total: int) -> bool:
		"""Say whether nothing is asked of a record, so that the number must be confirmed."""
		return self.kind is TriggerKind.RECORD_CREATED and not self.filters

	def page(self, after: str | None, limit: int) -> list[str]:
		"""Return the next names in their order, at most `limit`; none only if there are no more."""
		while names := self._candidates(after or "", limit):
			matching = find_matching(self.recipient_type, self.filters, names)
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
		if self.kind in OWN_RECORDS:
			filters = [*self._own_filters(), [self.recipient_type, "name", ">", after]]
			options = {"order_by": "name asc", "limit_page_length": limit, "pluck": "name"}
			return frappe.get_all(self.recipient_type, filters=filters, **options)
		if after not in self._ahead[:-1]:
			self._ahead = [after, *self._read_ahead(after, max(limit, LOOK_AHEAD))]
		begin = self._ahead.index(after) + 1
		return self._ahead[begin : begin + limit]

	def _read_ahead(self, after: str, limit: int) -> list[str]:
		found = self._source()
		if found is None:
			return []
		query, person = found
		query = query.select(person).distinct().where(person > after)
		return query.orderby(person).limit(limit).run(pluck=True)

	def _source(self) -> Source | None:
		source = SOURCES.get(self.kind)
		return source(self.trigger, self.recipient_type) if source else None

	def _own_filters(self) -> list[list[Any]]:
		doctype, trigger = self.recipient_type, self.trigger
		if self.kind is TriggerKind.FIELD_REACHED_VALUE:
			condition = ["=", trigger.field_value] if trigger.field_value else ["is", "set"]
			return [[doctype, trigger.field_name, *condition]]
		if self.kind is TriggerKind.JOINED_EMAIL_GROUP:
			group = (
				[["Email Group Member", "email_group", "=", trigger.email_group]]
				if trigger.email_group
				else []
			)
			return [*group, ["Email Group Member", "unsubscribed", "=", 0]]
		return []


def count_existing(campaign) -> list[dict[str, Any]]:
	"""Return how many people of which type met each trigger of a campaign before; those with nobody are left out."""
	counts = []
	lists = [frappe._dict(name=row.name, sentence=_on_list(row)) for row in campaign.target_lists]
	for row in [*(row for row in campaign.triggers if row.enabled), *lists]:
		for doctype in [row.recipient_type] if row.recipient_type else available_types():
			total = ExistingAudience(campaign.name, row.name, doctype).count()
			if total:
				found = {
					"trigger": row.name,
					"sentence": row.sentence,
					"recipient_type": doctype,
					"count": total,
				}
				counts.append(found)
	return counts


def _on_list(row) -> str:
	return _("Who is on the list {0}").format(row.target_list)
