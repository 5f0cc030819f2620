"""DocTypes of other apps on a site that has not got them: the same names, the same fields, and nothing else.

Where the real one is, it is used: the same test then runs on it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe

# Field names and types as in ERPNext 15 and Frappe CRM 1, whose statuses are records with a type.
FIELDS: dict[str, list[tuple[str, str, str]]] = {
	"Lead": [
		("first_name", "Data", ""),
		("last_name", "Data", ""),
		("lead_name", "Data", ""),
		("company_name", "Data", ""),
		("email_id", "Data", "Email"),
		("lead_owner", "Link", "User"),
		("language", "Link", "Language"),
		("status", "Select", "Lead\nOpen\nReplied\nOpportunity\nInterested\nConverted\nDo Not Contact"),
		("unsubscribed", "Check", ""),
		("disabled", "Check", ""),
	],
	"Customer": [
		("customer_name", "Data", ""),
		("customer_type", "Select", "Company\nIndividual"),
		("account_manager", "Link", "User"),
		("customer_primary_contact", "Link", "Contact"),
		("email_id", "Data", ""),
		("lead_name", "Link", "Lead"),
		("language", "Link", "Language"),
		("disabled", "Check", ""),
	],
	"Prospect Lead": [("lead", "Link", "Lead"), ("email", "Data", "Email")],
	"Prospect": [
		("company_name", "Data", ""),
		("prospect_owner", "Link", "User"),
		("leads", "Table", "Prospect Lead"),
	],
	"Opportunity": [
		("opportunity_from", "Link", "DocType"),
		("party_name", "Dynamic Link", "opportunity_from"),
		("customer_name", "Data", ""),
		("contact_person", "Link", "Contact"),
		("contact_display", "Small Text", ""),
		("contact_email", "Data", "Email"),
		("opportunity_owner", "Link", "User"),
		("status", "Select", "Open\nQuotation\nConverted\nLost\nReplied\nClosed"),
	],
	"Supplier": [
		("supplier_name", "Data", ""),
		("supplier_primary_contact", "Link", "Contact"),
		("email_id", "Data", ""),
		("disabled", "Check", ""),
	],
	"Employee": [
		("first_name", "Data", ""),
		("last_name", "Data", ""),
		("employee_name", "Data", ""),
		("status", "Select", "Active\nInactive\nSuspended\nLeft"),
		("user_id", "Link", "User"),
		("prefered_email", "Data", "Email"),
		("unsubscribed", "Check", ""),
	],
	"Item Group": [("parent_item_group", "Link", "Item Group"), ("lft", "Int", ""), ("rgt", "Int", "")],
	"Item": [("item_name", "Data", ""), ("item_group", "Link", "Item Group")],
	"Sales Order Item": [
		("item_code", "Link", "Item"),
		("item_group", "Link", "Item Group"),
		("qty", "Float", ""),
	],
	"Sales Order": [
		("customer", "Link", "Customer"),
		("contact_person", "Link", "Contact"),
		("items", "Table", "Sales Order Item"),
	],
	"Sales Invoice Item": [
		("item_code", "Link", "Item"),
		("item_group", "Link", "Item Group"),
		("qty", "Float", ""),
	],
	"Sales Invoice": [
		("customer", "Link", "Customer"),
		("contact_person", "Link", "Contact"),
		("is_return", "Check", ""),
		("items", "Table", "Sales Invoice Item"),
	],
	"Payment Entry Reference": [
		("reference_doctype", "Link", "DocType"),
		("reference_name", "Dynamic Link", "reference_doctype"),
	],
	"Payment Entry": [
		("payment_type", "Select", "Receive\nPay\nInternal Transfer"),
		("party_type", "Link", "DocType"),
		("party", "Dynamic Link", "party_type"),
		("contact_person", "Link", "Contact"),
		("references", "Table", "Payment Entry Reference"),
	],
	"CRM Lead Status": [
		("lead_status", "Data", ""),
		("type", "Select", "Open\nOngoing\nOn Hold\nWon\nLost"),
	],
	"CRM Deal Status": [
		("deal_status", "Data", ""),
		("type", "Select", "Open\nOngoing\nOn Hold\nWon\nLost"),
	],
	"CRM Lead": [
		("first_name", "Data", ""),
		("last_name", "Data", ""),
		("lead_name", "Data", ""),
		("organization", "Data", ""),
		("email", "Data", "Email"),
		("lead_owner", "Link", "User"),
		("status", "Link", "CRM Lead Status"),
		("converted", "Check", ""),
	],
	"CRM Contacts": [
		("contact", "Link", "Contact"),
		("full_name", "Data", ""),
		("email", "Data", ""),
		("is_primary", "Check", ""),
	],
	"CRM Deal": [
		("organization", "Data", ""),
		("first_name", "Data", ""),
		("last_name", "Data", ""),
		("lead_name", "Data", ""),
		("email", "Data", "Email"),
		("deal_owner", "Link", "User"),
		("status", "Link", "CRM Deal Status"),
		("lead", "Link", "CRM Lead"),
		("contacts", "Table", "CRM Contacts"),
	],
}

TABLES = (
	"CRM Contacts",
	"Prospect Lead",
	"Sales Order Item",
	"Sales Invoice Item",
	"Payment Entry Reference",
)
# The statuses with which Frappe CRM is installed
STATUSES = {
	"CRM Lead Status": {
		"New": "Open", "Contacted": "Ongoing", "Nurture": "Ongoing",
		"Qualified": "Won", "Unqualified": "Lost", "Junk": "Lost",
	},
	"CRM Deal Status": {
		"Qualification": "Open", "Demo/Making": "Ongoing", "Proposal/Quotation": "Ongoing",
		"Negotiation": "Ongoing", "Ready to Close": "Ongoing", "Won": "Won", "Lost": "Lost",
	},
}  # fmt: skip
SUBMITTED = ("Sales Order", "Sales Invoice", "Payment Entry")
# What purchases are made of, each after what it links to.
SALES = (
	*("Lead", "Customer", "Item Group", "Item", "Sales Order Item", "Sales Order"),
	*("Sales Invoice Item", "Sales Invoice", "Payment Entry Reference", "Payment Entry"),
)


def make(doctype: str, fields: list[tuple[str, str, str]] | None = None, **values) -> bool:
	"""Create a DocType unless the site has it; return whether it was created."""
	if frappe.db.exists("DocType", doctype):
		return False
	rows = [
		{
			"fieldname": name,
			"fieldtype": fieldtype,
			"label": name.replace("_", " ").title(),
			"options": options,
		}
		for name, fieldtype, options in fields or FIELDS[doctype]
	]
	if doctype in SUBMITTED:
		rows.append(
			{
				"fieldname": "amended_from",
				"fieldtype": "Link",
				"options": doctype,
				"label": "Amended From",
				"no_copy": 1,
				"read_only": 1,
			}
		)
	permissions = [{"role": "System Manager", "read": 1, "write": 1, "create": 1, "delete": 1}]
	if doctype in SUBMITTED:
		permissions[0] |= {"submit": 1, "cancel": 1, "amend": 1}
	frappe.get_doc(
		{
			"doctype": "DocType",
			"name": doctype,
			"module": "Custom",
			"custom": 1,
			"autoname": "hash",
			"allow_rename": int(doctype in STATUSES),
			"istable": int(doctype in TABLES),
			"is_submittable": int(doctype in SUBMITTED),
			"fields": rows,
			"permissions": [] if doctype in TABLES else permissions,
			**values,
		}
	).insert(ignore_permissions=True)
	for name, kind in STATUSES.get(doctype, {}).items():
		frappe.get_doc({"doctype": doctype, "type": kind}).insert(set_name=name)
	frappe.db.commit()
	return True


def remove(doctype: str) -> None:
	"""Delete a stand-in and its table."""
	frappe.delete_doc("DocType", doctype, force=True)
	frappe.db.sql_ddl(f"DROP TABLE IF EXISTS `tab{doctype}`")
	frappe.clear_cache(doctype=doctype)
	frappe.db.commit()


@contextmanager
def present(*doctypes: str) -> Iterator[None]:
	"""The DocTypes are there for a `with` block."""
	made = [doctype for doctype in doctypes if make(doctype)]
	try:
		yield
	finally:
		frappe.db.rollback()
		for doctype in reversed(made):
			remove(doctype)
