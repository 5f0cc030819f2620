"""Find the linked records that hold the people of a batch: one query for each hop."""

from collections import defaultdict
from collections.abc import Sequence

import frappe

from drip_campaigns.people.recipient_types import BUILT_IN, Hop

Linked = dict[str, list[tuple[str, str]]]


def find_linked(doctype: str, hop: Hop, rows: Sequence[dict]) -> Linked:
	"""Return the (DocType, name) that `hop` links with each of `rows`, by the row's name, the preferred one first."""
	if not rows:
		return {}
	if hop.table:
		return _by_table(doctype, hop, [row["name"] for row in rows])
	return _by_field(hop, rows) if hop.field else _by_contact(doctype, [row["name"] for row in rows])


def _by_field(hop: Hop, rows: Sequence[dict]) -> Linked:
	linked = {}
	for row in rows:
		target, name = row.get(hop.doctype_field) if hop.doctype_field else hop.doctype, row.get(hop.field)
		if name and target in BUILT_IN:
			linked[row["name"]] = [(target, name)]
	return linked


def _by_contact(doctype: str, names: Sequence[str]) -> Linked:
	link, contact = frappe.qb.DocType("Dynamic Link"), frappe.qb.DocType("Contact")
	pairs = (
		frappe.qb.from_(link)
		.join(contact)
		.on(contact.name == link.parent)
		.select(link.link_name, contact.name)
		.where(
			(link.parenttype == "Contact") & (link.link_doctype == doctype) & link.link_name.isin(list(names))
		)
		.orderby(contact.is_primary_contact, order=frappe.qb.desc)
		.orderby(contact.creation)
		.run()
	)
	linked: Linked = defaultdict(list)
	for name, person in pairs:
		linked[name].append(("Contact", person))
	return linked


def _by_table(doctype: str, hop: Hop, names: Sequence[str]) -> Linked:
	if hop.table not in [field.options for field in frappe.get_meta(doctype).get_table_fields()]:
		return {}
	filters = {"parenttype": doctype, "parent": ["in", list(names)]}
	order = "is_primary desc, idx" if frappe.get_meta(hop.table).has_field("is_primary") else "idx"
	linked: Linked = defaultdict(list)
	rows = frappe.get_all(hop.table, filters=filters, fields=["parent", hop.field], order_by=order)
	for row in rows:
		if row[hop.field]:
			linked[row.parent].append((hop.doctype, row[hop.field]))
	return linked
