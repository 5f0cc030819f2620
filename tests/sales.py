"""Sales for tests: real ones on a site with ERPNext, otherwise stand-ins with the same names and fields."""

import itertools
from typing import Any

import frappe
from frappe.utils import add_days, nowdate

_numbers = itertools.count(1)


def is_real() -> bool:
	"""Return whether the site has ERPNext."""
	return "erpnext" in frappe.get_installed_apps()


def make_item_group(name: str, parent: str | None = None, *, left: int = 0, right: int = 0) -> str:
	"""Return an Item Group, below `parent`; a stand-in gets the given bounds in the tree."""
	if frappe.db.exists("Item Group", name):
		return name
	values: dict[str, Any] = {"doctype": "Item Group", "parent_item_group": parent}
	if is_real():
		values |= {"item_group_name": name, "is_group": 1, "parent_item_group": parent or "All Item Groups"}
		return frappe.get_doc(values).insert().name
	return frappe.get_doc({**values, "lft": left, "rgt": right}).insert(set_name=name).name


def make_item(name: str, group: str) -> str:
	"""Return an Item that needs no stock."""
	if frappe.db.exists("Item", name):
		return name
	values: dict[str, Any] = {"doctype": "Item", "item_name": name, "item_group": group}
	if is_real():
		values |= {"item_code": name, "stock_uom": "Nos", "is_stock_item": 0}
	return frappe.get_doc(values).insert(set_name=name).name


def make_customer(**fields: Any) -> str:
	"""Return a new Customer's name."""
	values = {"customer_name": f"Drip Test Customer {next(_numbers)}", "customer_type": "Company"}
	return frappe.get_doc(doctype="Customer", **values, **fields).insert().name


def sell(doctype: str, customer: str, item: str, contact: str | None = None):
	"""Insert a Sales Order or Sales Invoice of one item, and submit it."""
	row = {"item_code": item, "qty": 1}
	values = {"doctype": doctype, "customer": customer, "contact_person": contact}
	if is_real():
		company = frappe.get_all("Company", pluck="name", limit=1)[0]
		values |= {"company": company, "delivery_date": add_days(nowdate(), 7)}
		row |= {"rate": 10, "delivery_date": add_days(nowdate(), 7), "uom": "Nos", "conversion_factor": 1}
	else:
		row["item_group"] = frappe.db.get_value("Item", item, "item_group")
	document = frappe.get_doc({**values, "items": [row]}).insert()
	document.submit()
	return document


def amend(document, **values: Any):
	"""Cancel a document, and insert and submit the one that replaces it."""
	document.reload().cancel()
	amended = frappe.copy_doc(document)
	amended.update({"amended_from": document.name, "docstatus": 0, **values})
	amended.insert().submit()
	return amended


def pay(invoice):
	"""Insert a Payment Entry that pays an invoice, and submit it."""
	if is_real():
		from erpnext.accounts.doctype.payment_entry.payment_entry import get_payment_entry

		payment = get_payment_entry(invoice.doctype, invoice.name)
		payment.update({"reference_no": "1", "reference_date": nowdate()})
	else:
		reference = {"reference_doctype": invoice.doctype, "reference_name": invoice.name}
		payment = frappe.get_doc(
			doctype="Payment Entry",
			payment_type="Receive",
			party_type="Customer",
			party=invoice.customer,
			references=[reference],
		)
	payment.insert().submit()
	return payment
