"""A Sales Order, Sales Invoice or Payment Entry of ERPNext is submitted.

With the recipient type Customer, the customer is enrolled. Otherwise the first of these that exists: the document's
contact person, the customer's primary contact, a contact linked to the customer (the primary one first), the lead
from which the customer was created.
"""

from collections.abc import Collection, Iterator, Sequence

import frappe
from frappe import _

from drip_campaigns.core.flow.triggers import Purchased, PurchaseDocument
from drip_campaigns.people.linked_records import find_linked
from drip_campaigns.people.recipient_types import BUILT_IN
from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import (
	Person,
	Rows,
	Source,
	TriggerKind,
	find_current_records,
	load_before,
	make_event_firing,
)

Buyer = tuple[str, str]  # recipient type, record
SUBMITTED = 1


class Purchase(TriggerKind):
	"""Enrolls the buyer; with an item or an item group in the row, only of that."""

	label = "Purchase"
	needed = ("purchase_document",)
	optional = ("purchased", "purchased_name")
	is_portable = True

	def describe(self, row) -> str:
		document = _(row.purchase_document)
		if row.purchased == Purchased.ITEM:
			return _("When a {0} with the item {1} is submitted").format(document, row.purchased_name)
		if row.purchased == Purchased.ITEM_GROUP:
			return _("When a {0} with an item of {1} is submitted").format(document, row.purchased_name)
		return _("When a {0} is submitted").format(document)

	def find_problems(self, row) -> Iterator[str]:
		if not self.is_available(row):
			sentence = _("This site has no {0} records. Purchases need ERPNext.")
			yield sentence.format(_(row.purchase_document))
		elif row.purchased and not row.purchased_name:
			yield _("{0} is empty. Choose one, or clear Only For.").format(_(row.purchased))

	def is_available(self, row) -> bool:
		return bool(frappe.db.exists("DocType", row.get("purchase_document")))

	def place(self, row) -> str:
		return row.purchase_document

	def match(self, document, trigger) -> Firing | None:
		"""Match a sale, but no return; `find_people` looks at its items, for a whole batch."""
		before = load_before(document)
		was_submitted = before.docstatus == SUBMITTED if before else False
		is_sale = not document.get("is_return") and document.get("payment_type", "Receive") == "Receive"
		is_meant = document.docstatus == SUBMITTED and not was_submitted and is_sale
		return make_event_firing(document, trigger, "submitted") if is_meant else None

	def find_people(self, trigger, rows: Rows) -> dict[str, Person]:
		"""A canceled document leads to nobody, unless an amended one replaces it, which is the same purchase."""
		documents = find_current_records(rows)
		buyers = find_buyers(trigger, sorted(set(documents.values())))
		return {name: Person(*buyers[made]) for name, made in documents.items() if made in buyers}

	def find_existing(self, trigger, doctype: str) -> Source | None:
		"""Of purchases made before, only documents that name the person themselves count."""
		is_payment = trigger.purchase_document == PurchaseDocument.PAYMENT_ENTRY
		fields = {"Contact": "contact_person", "Customer": "party" if is_payment else "customer"}
		if doctype not in fields:
			return None
		document = frappe.qb.DocType(trigger.purchase_document)
		query = frappe.qb.from_(document).where(document.docstatus == SUBMITTED)
		if is_payment:
			query = query.where((document.party_type == "Customer") & (document.payment_type == "Receive"))
		if trigger.purchased:
			narrow = with_paid_items if is_payment else with_items
			query = narrow(query, document, trigger)
		return query, document[fields[doctype]]


def find_buyers(trigger: frappe._dict, names: Sequence[str]) -> dict[str, Buyer]:
	"""Return the buyer of each document in `names` that the trigger is about, by the document."""
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
	filters = {"name": ["in", list(names)], "docstatus": SUBMITTED}
	if is_payment:
		filters["party_type"] = "Customer"
	return {row.name: row for row in frappe.get_all(doctype, filters=filters, fields=fields)}


def _find_documents_with(trigger: frappe._dict, names: Sequence[str]) -> set[str]:
	"""Return the documents in which the trigger's item, or one of its item group, was bought."""
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
	filters = {"parenttype": doctype, "parent": ["in", list(names)], "docstatus": SUBMITTED}
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
	hops = BUILT_IN["Customer"].hops
	fields = ["name", *(hop.field for hop in hops if hop.field)]
	rows = frappe.get_all("Customer", filters={"name": ["in", list(customers)]}, fields=fields)
	people: dict[str, Buyer] = {}
	for hop in hops:
		for customer, [person, *_others] in find_linked("Customer", hop, rows).items():
			if trigger.recipient_type in (None, "", person[0]):
				people.setdefault(customer, person)
	return people


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
		is_paid &= item.docstatus == SUBMITTED  # of a canceled document, nothing was bought
		query = query.left_join(item).on(is_paid)
		wanted.append(_is_wanted(item, trigger))
	return query.where(wanted[0] | wanted[1])


def _is_wanted(item, trigger: frappe._dict):
	if trigger.purchased == Purchased.ITEM:
		return item.item_code == trigger.purchased_name
	return item.item_group.isin(_with_groups_below(trigger.purchased_name))
