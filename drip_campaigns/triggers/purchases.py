"""Who has bought what: from submitted documents of ERPNext to people, a batch at a time. Reads only.

With the recipient type Customer, the customer. Else the first of these that there is: the contact person of the
document, the customer's primary contact, the contact linked to the customer (the primary one first), the lead that
the customer was made from.
"""

from collections.abc import Collection, Sequence

import frappe

from drip_campaigns.core.flow.triggers import Purchased, PurchaseDocument

Buyer = tuple[str, str]  # recipient type, record


def find_buyers(trigger: frappe._dict, names: Sequence[str]) -> dict[str, Buyer]:
	"""Return who bought, by document, of those documents `names` that the trigger is about."""
	documents = _load_documents(trigger.purchase_document, names)
	if trigger.purchased:
		wanted = _find_documents_with(trigger, list(documents))
		documents = {name: row for name, row in documents.items() if name in wanted}
	if trigger.recipient_type == "Customer":
		return {name: ("Customer", row.customer) for name, row in documents.items() if row.customer}
	by_customer = _find_people_of({row.customer for row in documents.values() if row.customer}, trigger)
	buyers = {}
	for name, row in documents.items():
		if row.contact_person and trigger.recipient_type in (None, "", "Contact"):
			buyers[name] = ("Contact", row.contact_person)
		elif row.customer in by_customer:
			buyers[name] = by_customer[row.customer]
	return buyers


def _load_documents(doctype: str, names: Sequence[str]) -> dict[str, frappe._dict]:
	is_payment = doctype == PurchaseDocument.PAYMENT_ENTRY
	fields = ["name", "contact_person", *(["party as customer"] if is_payment else ["customer"])]
	filters = {"name": ["in", list(names)], "docstatus": 1}
	if is_payment:
		filters["party_type"] = "Customer"
	return {row.name: row for row in frappe.get_all(doctype, filters=filters, fields=fields)}


def _find_documents_with(trigger: frappe._dict, names: Sequence[str]) -> set[str]:
	"""Return those documents in which the trigger's item, or one of its group, was bought."""
	if trigger.purchase_document != PurchaseDocument.PAYMENT_ENTRY:
		return _find_with_items(trigger, trigger.purchase_document, names)
	filters = {"parenttype": "Payment Entry", "parent": ["in", names]}
	fields = ["parent", "reference_doctype", "reference_name"]
	references = frappe.get_all("Payment Entry Reference", filters=filters, fields=fields) if names else []
	paid = set()
	for doctype in (PurchaseDocument.SALES_ORDER.value, PurchaseDocument.SALES_INVOICE.value):
		for_these = [row for row in references if row.reference_doctype == doctype]
		wanted = _find_with_items(trigger, doctype, [row.reference_name for row in for_these])
		paid |= {row.parent for row in for_these if row.reference_name in wanted}
	return paid


def _find_with_items(trigger: frappe._dict, doctype: str, names: Sequence[str]) -> set[str]:
	if not names:
		return set()
	filters = {"parenttype": doctype, "parent": ["in", list(names)]}
	if trigger.purchased == Purchased.ITEM:
		filters["item_code"] = trigger.purchased_name
	else:
		filters["item_group"] = ["in", _with_groups_below(trigger.purchased_name)]
	return set(frappe.get_all(f"{doctype} Item", filters=filters, pluck="parent"))


def _with_groups_below(group: str) -> list[str]:
	bounds = frappe.db.get_value("Item Group", group, ["lft", "rgt"])
	if not bounds:
		return [group]
	filters = {"lft": [">=", bounds[0]], "rgt": ["<=", bounds[1]]}
	return frappe.get_all("Item Group", filters=filters, pluck="name")


def _find_people_of(customers: Collection[str], trigger: frappe._dict) -> dict[str, Buyer]:
	if not customers:
		return {}
	fields = ["name", "customer_primary_contact", "lead_name"]
	rows = frappe.get_all("Customer", filters={"name": ["in", list(customers)]}, fields=fields)
	linked = _find_linked_contacts(customers)
	people = {}
	for row in rows:
		contact = row.customer_primary_contact or linked.get(row.name)
		if contact and trigger.recipient_type in (None, "", "Contact"):
			people[row.name] = ("Contact", contact)
		elif row.lead_name and trigger.recipient_type in (None, "", "Lead"):
			people[row.name] = ("Lead", row.lead_name)
	return people


def _find_linked_contacts(customers: Collection[str]) -> dict[str, str]:
	link, contact = frappe.qb.DocType("Dynamic Link"), frappe.qb.DocType("Contact")
	rows = (
		frappe.qb.from_(link)
		.inner_join(contact)
		.on(contact.name == link.parent)
		.select(link.link_name, contact.name)
		.where((link.parenttype == "Contact") & (link.link_doctype == "Customer"))
		.where(link.link_name.isin(list(customers)))
		.orderby(contact.is_primary_contact)
		.run()
	)
	return dict(rows)  # the primary contact comes last, and stays


def with_items(query, document, trigger: frappe._dict):
	"""Return a query over documents narrowed to those in which the trigger's item, or one of its group, was bought."""
	item = frappe.qb.DocType(f"{trigger.purchase_document} Item")
	return query.inner_join(item).on(item.parent == document.name).where(_is_wanted(item, trigger))


def with_paid_items(query, payment, trigger: frappe._dict):
	"""Return a query over payments narrowed to those that pay for the trigger's item, or one of its group."""
	reference = frappe.qb.DocType("Payment Entry Reference")
	query = query.inner_join(reference).on(reference.parent == payment.name)
	wanted = []
	for doctype in (PurchaseDocument.SALES_ORDER.value, PurchaseDocument.SALES_INVOICE.value):
		item = frappe.qb.DocType(f"{doctype} Item")
		is_paid = (reference.reference_doctype == doctype) & (item.parent == reference.reference_name)
		query = query.left_join(item).on(is_paid)
		wanted.append(_is_wanted(item, trigger))
	return query.where(wanted[0] | wanted[1])


def _is_wanted(item, trigger: frappe._dict):
	if trigger.purchased == Purchased.ITEM:
		return item.item_code == trigger.purchased_name
	return item.item_group.isin(_with_groups_below(trigger.purchased_name))
