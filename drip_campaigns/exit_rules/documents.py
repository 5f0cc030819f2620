"""Find documents of ERPNext and Frappe CRM by the people they are for. Reads only.

A person is a record of any recipient type. Documents count that are for the record itself, for the Customer or Lead of a
Contact, for the Customer that was made from a Lead, and for the Lead from which a Customer was made.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import frappe

from drip_campaigns.core.flow.goals import GoalDocument
from drip_campaigns.db.amendments import find_first, has_amendments
from drip_campaigns.db.dialect import select_in

Record = tuple[str, str]  # DocType, name
SUBMITTED = 1


@dataclass(frozen=True)
class PartyField:
	"""A field with the party of a document: a Link to `doctype`, or a Dynamic Link with `doctype_field`."""

	name: str
	doctype: str = ""
	doctype_field: str = ""


class Made(NamedTuple):
	"""One document, with its creation in site time: of an amended one, that of the first document of its chain."""

	doctype: str
	name: str
	creation: datetime


_CONTACT = PartyField("contact_person", "Contact")
PARTY_FIELDS: dict[str, tuple[PartyField, ...]] = {
	GoalDocument.OPPORTUNITY: (PartyField("party_name", doctype_field="opportunity_from"), _CONTACT),
	GoalDocument.QUOTATION: (PartyField("party_name", doctype_field="quotation_to"), _CONTACT),
	GoalDocument.SALES_ORDER: (PartyField("customer", "Customer"), _CONTACT),
	GoalDocument.SALES_INVOICE: (PartyField("customer", "Customer"), _CONTACT),
	GoalDocument.CRM_DEAL: (PartyField("lead", "CRM Lead"), PartyField("contact", "Contact")),
	"Customer": (PartyField("lead_name", "Lead"),),
}


def find_made(
	doctype: str, people: Mapping[Record, set[Record]], since: datetime, filters: Sequence[Any] = ()
) -> dict[Record, list[Made]]:
	"""Return the documents created since `since` (site time) for each of `people`, who come with their parties.

	Cancelled documents do not count, and an amended one counts as of the document that it replaces. Makes one query for each
	field that holds a party.
	"""
	people_of: dict[Record, list[Record]] = defaultdict(list)
	for person, parties in people.items():
		for party in parties:
			people_of[party].append(person)
	made: dict[Record, list[Made]] = defaultdict(list)
	for field in party_fields(doctype):
		for row in _find_by_field(doctype, field, people_of, since, filters):
			for person in people_of[row.party_type or field.doctype, row.party]:
				made[person].append(Made(doctype, row.name, row.creation))
	return made


def party_fields(doctype: str) -> list[PartyField]:
	"""Return the fields of a DocType that hold a party; none if the site does not have the DocType."""
	if not has_doctype(doctype):
		return []
	known = frappe.get_meta(doctype).get_valid_columns()
	return [field for field in PARTY_FIELDS[doctype] if field.name in known]


def counts_when(doctype: str) -> list[list[Any]]:
	"""Return the filter that excludes drafts and cancelled documents, if the DocType can be submitted."""
	is_submittable = frappe.get_meta(doctype).is_submittable
	return [[doctype, "docstatus", "=", SUBMITTED]] if is_submittable else []


def _find_by_field(
	doctype: str, field: PartyField, parties: Iterable[Record], since: datetime, filters: Sequence[Any]
) -> list[frappe._dict]:
	names = [name for kind, name in parties if field.doctype in ("", kind)]
	if not names:
		return []
	wanted = [[doctype, field.name, "in", names], [doctype, "creation", ">=", since]]
	fields = ["name", "creation", f"{field.name} as party"]
	if field.doctype_field:
		fields.append(f"{field.doctype_field} as party_type")
	if has_amendments(doctype):
		fields.append("amended_from")
	rows = frappe.get_all(
		doctype,
		filters=[*wanted, *counts_when(doctype), *filters],
		fields=fields,
		order_by="creation",
		distinct=True,
	)
	_count_from_first(doctype, rows)
	return [row for row in rows if row.creation >= since]


def _count_from_first(doctype: str, rows: Sequence[frappe._dict]) -> None:
	"""Give each amended document the creation of the first one of its chain: the two are one event."""
	firsts = find_first(doctype, {row.name: row.amended_from for row in rows if row.get("amended_from")})
	made = select_in(doctype, ["name", "creation"], "name", sorted(set(firsts.values())))
	creations = {row.name: row.creation for row in made}
	for row in rows:
		row.creation = creations.get(firsts.get(row.name), row.creation)


def find_parties(people: Iterable[Record]) -> dict[Record, set[Record]]:
	"""Return the possible parties of a document for each of `people`: the record itself, and what it belongs to."""
	parties = {person: {person} for person in people}
	for doctype, find in (("Contact", _of_contacts), ("Lead", _of_leads), ("Customer", _of_customers)):
		names = [name for kind, name in parties if kind == doctype]
		for name, party in find(names) if names else ():
			parties[doctype, name].add(party)
	return parties


def find_people_of(party: Iterable[Record]) -> set[Record]:
	"""Return the people of these parties: the reverse of `find_parties`."""
	found = set(party)
	customers = [name for kind, name in found if kind == "Customer"]
	leads = [name for kind, name in found if kind == "Lead"]
	if customers:
		rows = select_in("Customer", ["lead_name"], "name", customers)
		found |= {("Lead", row.lead_name) for row in rows if row.lead_name}
	if leads and has_doctype("Customer"):
		found |= {("Customer", row.name) for row in select_in("Customer", ["name"], "lead_name", leads)}
	names = [name for _kind, name in found]
	links = select_in(
		"Dynamic Link", ["parent", "link_doctype", "link_name"], "link_name", names, parenttype="Contact"
	)
	return found | {("Contact", row.parent) for row in links if (row.link_doctype, row.link_name) in found}


def has_doctype(doctype: str) -> bool:
	"""Return whether the site has a DocType."""
	return bool(frappe.db.exists("DocType", doctype, cache=True))


def _of_contacts(names: list[str]) -> list[tuple[str, Record]]:
	fields = ["parent", "link_doctype", "link_name"]
	rows = select_in("Dynamic Link", fields, "parent", names, parenttype="Contact")
	return [(row.parent, (row.link_doctype, row.link_name)) for row in rows]


def _of_leads(names: list[str]) -> list[tuple[str, Record]]:
	if not has_doctype("Customer"):
		return []
	rows = select_in("Customer", ["name", "lead_name"], "lead_name", names)
	return [(row.lead_name, ("Customer", row.name)) for row in rows]


def _of_customers(names: list[str]) -> list[tuple[str, Record]]:
	rows = select_in("Customer", ["name", "lead_name"], "name", names)
	return [(row.name, ("Lead", row.lead_name)) for row in rows if row.lead_name]
