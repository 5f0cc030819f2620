"""Who met a trigger before it listened: counted, and paged through for a Drip Bulk Enrollment. Reads only.

Dates, Web Forms, received e-mails and calls leave no trace that could be read again, so they have nobody. Of
purchases, only documents that name the person themselves count.
"""

from collections.abc import Iterator
from typing import Any

import frappe
from frappe import _
from frappe.query_builder.functions import Lower
from pypika.queries import QueryBuilder
from pypika.terms import Field

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import EventType, Status
from drip_campaigns.core.triggers import PurchaseDocument, TriggerKind
from drip_campaigns.enrollment.recipient_types import available_types
from drip_campaigns.triggers.people import find_matching, read_filters
from drip_campaigns.triggers.purchases import with_items
from drip_campaigns.triggers.table import load_rows

PAGE_SIZE = 5000
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

	@property
	def target_list(self) -> str | None:
		"""The list through which they come: who leaves it later must be heard."""
		return self.trigger.target_list if self.kind is TriggerKind.JOINED_TARGET_LIST else None

	def count(self) -> int:
		"""Return how many there are."""
		return sum(len(names) for names in self.pages(PAGE_SIZE))

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
		source = _SOURCES.get(self.kind)
		found = source(self.trigger, self.recipient_type) if source else None
		if found is None:
			return []
		query, person = found
		return (
			query.select(person).distinct().where(person > after).orderby(person).limit(limit).run(pluck=True)
		)

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


Source = tuple[QueryBuilder, Field]  # what to select from, and the field with the person's record


def _tagged(trigger: frappe._dict, doctype: str) -> Source:
	link = frappe.qb.DocType("Tag Link")
	query = frappe.qb.from_(link).where(link.document_type == doctype)
	if trigger.tag:
		query = query.where(Lower(link.tag) == trigger.tag.lower())
	return query, link.document_name


def _on_lists(trigger: frappe._dict, doctype: str) -> Source:
	member = frappe.qb.DocType("Drip Target List Member")
	query = frappe.qb.from_(member).where((member.recipient_type == doctype) & (member.opted_out == 0))
	query = query.where(member.dropped_at.isnull())
	if trigger.target_list:
		query = query.where(member.target_list == trigger.target_list)
	return query, member.recipient


def _completed(trigger: frappe._dict, doctype: str) -> Source:
	enrollment = frappe.qb.DocType("Drip Enrollment")
	is_done = (enrollment.campaign == trigger.source_campaign) & (enrollment.status == Status.COMPLETED.value)
	return frappe.qb.from_(enrollment).where(
		is_done & (enrollment.recipient_type == doctype)
	), enrollment.recipient


def _reacted(trigger: frappe._dict, doctype: str) -> Source:
	event, enrollment = frappe.qb.DocType("Drip Event"), frappe.qb.DocType("Drip Enrollment")
	is_click = trigger.kind == TriggerKind.LINK_CLICKED
	wanted = EventType.CLICKED if is_click else EventType.OPENED
	query = frappe.qb.from_(event).inner_join(enrollment).on(enrollment.name == event.enrollment)
	query = query.where((event.event_type == wanted.value) & (enrollment.recipient_type == doctype))
	if trigger.source_campaign:
		query = query.where(event.campaign == trigger.source_campaign)
	if is_click and trigger.link_url:
		query = query.where(event.detail == trigger.link_url)
	return query, enrollment.recipient


def _bought(trigger: frappe._dict, doctype: str) -> Source | None:
	is_payment = trigger.purchase_document == PurchaseDocument.PAYMENT_ENTRY
	fields = {"Contact": "contact_person", "Customer": "party" if is_payment else "customer"}
	if doctype not in fields or (is_payment and trigger.purchased):
		return None
	document = frappe.qb.DocType(trigger.purchase_document)
	query = frappe.qb.from_(document).where(document.docstatus == 1)
	if is_payment:
		query = query.where((document.party_type == "Customer") & (document.payment_type == "Receive"))
	if trigger.purchased:
		query = with_items(query, document, trigger)
	return query, document[fields[doctype]]


_SOURCES = {
	TriggerKind.TAG_ADDED: _tagged,
	TriggerKind.JOINED_TARGET_LIST: _on_lists,
	TriggerKind.CAMPAIGN_COMPLETED: _completed,
	TriggerKind.LINK_CLICKED: _reacted,
	TriggerKind.EMAIL_OPENED: _reacted,
	TriggerKind.PURCHASE: _bought,
}
