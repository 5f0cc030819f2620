"""From the firings of a trigger to the people whom it enrolls, a batch at a time."""

from collections.abc import Iterable

import frappe

from drip_campaigns.db.dialect import as_names, select_in
from drip_campaigns.people.list_filters import Filters, read_filters
from drip_campaigns.triggers.kind import Person, Rows
from drip_campaigns.triggers.registry import TRIGGER_KINDS


def find_people(trigger: frappe._dict, rows: Rows) -> dict[str, Person]:
	"""Return the person of each firing by the firing's name; a firing that leads to nobody is missing."""
	found = TRIGGER_KINDS.get(trigger.kind).find_people(trigger, rows)
	if not trigger.recipient_type:
		return found
	return {name: person for name, person in found.items() if person.recipient_type == trigger.recipient_type}


def keep_matching(trigger: frappe._dict, people: dict[str, Person]) -> dict[str, Person]:
	"""Return the people whose record matches the trigger's filters now."""
	filters = read_trigger_filters(trigger)
	if not filters:
		return people
	names = {person.recipient for person in people.values()}
	matching = find_matching(trigger.recipient_type, filters, names)
	return {name: person for name, person in people.items() if person.recipient in matching}


def read_trigger_filters(trigger: frappe._dict) -> Filters:
	"""Return the filters of a trigger; raise InvalidFiltersError if they are none, for example on a deleted field."""
	return read_filters(trigger.recipient_type, trigger.filters) if (trigger.filters or "[]") != "[]" else []


def find_matching(doctype: str, filters: Filters, names: Iterable[str]) -> set[str]:
	"""Return the records among `names` that match, in one query."""
	if not filters:
		return {row.name for row in select_in(doctype, ["name"], "name", list(names))}
	chosen = [*filters, [doctype, "name", "in", list(names)]]
	return set(as_names(frappe.get_all(doctype, filters=chosen, pluck="name", distinct=True)))
