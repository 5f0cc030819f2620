"""Whom a firing enrolls: from the record at which a trigger fired to the people, a batch at a time. Reads only.

The one exception is the writer of an email whom nobody knows yet: `senders.py` makes a record.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import frappe

from drip_campaigns.core.flow.triggers import TriggerKind
from drip_campaigns.db.dialect import select_in
from drip_campaigns.triggers import find_sender, purchases

Rows = Sequence[frappe._dict]  # of Drip Trigger Firing


class Person(NamedTuple):
	"""A record to be enrolled, and the list through which it came."""

	recipient_type: str
	recipient: str
	target_list: str | None = None


def find_people(trigger: frappe._dict, rows: Rows) -> dict[str, Person]:
	"""Return the person of each firing by the firing's name; one that leads to nobody is left out."""
	find = _FINDERS.get(TriggerKind(trigger.kind), _the_record_itself)
	found = find(trigger, rows)
	if not trigger.recipient_type:
		return found
	return {name: person for name, person in found.items() if person.recipient_type == trigger.recipient_type}


def keep_matching(trigger: frappe._dict, people: dict[str, Person]) -> dict[str, Person]:
	"""Return those people whose record matches the trigger's filters now."""
	filters = read_filters(trigger)
	if not filters:
		return people
	names = {person.recipient for person in people.values()}
	matching = find_matching(trigger.recipient_type, filters, names)
	return {name: person for name, person in people.items() if person.recipient in matching}


def read_filters(trigger: frappe._dict) -> list[list[Any]]:
	"""Return the filters of a trigger as a list of [DocType, field, operator, value]; raise ValueError for anything else."""
	filters = json.loads(trigger.filters or "[]")
	if not isinstance(filters, list) or not all(isinstance(row, list) and len(row) > 3 for row in filters):
		raise ValueError("they are no list of conditions")
	return [row[:4] for row in filters]  # the filter editor adds whether a row is hidden


def find_matching(doctype: str, filters: list[list[Any]], names: Iterable[str]) -> set[str]:
	"""Return those of the records `names` that match, in one query."""
	if not filters:
		return {row.name for row in select_in(doctype, ["name"], "name", list(names))}
	chosen = [*filters, [doctype, "name", "in", list(names)]]
	return set(frappe.get_all(doctype, filters=chosen, pluck="name", distinct=True))


def _the_record_itself(_trigger: frappe._dict, rows: Rows) -> dict[str, Person]:
	return {row.name: Person(row.record_type, row.record) for row in rows}


def _who_is_enrolled(_trigger: frappe._dict, rows: Rows) -> dict[str, Person]:
	return _read_people("Drip Enrollment", rows)


def _who_is_on_the_list(_trigger: frappe._dict, rows: Rows) -> dict[str, Person]:
	"""Who has dropped out of the list meanwhile leads to nobody."""
	return _read_people("Drip Target List Member", rows, {"removed_at": ["is", "not set"]})


def _read_people(doctype: str, rows: Rows, still: dict | None = None) -> dict[str, Person]:
	fields = ["name", "recipient_type", "recipient", "target_list"]
	filters = {"name": ["in", [row.record for row in rows]], **(still or {})}
	found = {row.name: row for row in frappe.get_all(doctype, filters=filters, fields=fields)}
	return {
		row.name: Person(
			found[row.record].recipient_type, found[row.record].recipient, _list(doctype, found, row)
		)
		for row in rows
		if row.record in found
	}


def _list(doctype: str, found: dict, row: frappe._dict) -> str | None:
	# Who was on one campaign through a list is on the next by their own deed.
	return found[row.record].target_list if doctype == "Drip Target List Member" else None


def _who_bought(trigger: frappe._dict, rows: Rows) -> dict[str, Person]:
	bought = purchases.find_buyers(trigger, [row.record for row in rows])
	return {row.name: Person(*bought[row.record]) for row in rows if row.record in bought}


def _who_wrote(trigger: frappe._dict, rows: Rows) -> dict[str, Person]:
	wrote = find_sender.find_or_create(trigger.recipient_type, [row.record for row in rows])
	return {
		row.name: Person(trigger.recipient_type, wrote[row.record]) for row in rows if row.record in wrote
	}


_FINDERS = {
	TriggerKind.JOINED_TARGET_LIST: _who_is_on_the_list,
	TriggerKind.LINK_CLICKED: _who_is_enrolled,
	TriggerKind.EMAIL_OPENED: _who_is_enrolled,
	TriggerKind.CAMPAIGN_COMPLETED: _who_is_enrolled,
	TriggerKind.PURCHASE: _who_bought,
	TriggerKind.EMAIL_RECEIVED: _who_wrote,
}
