"""Connections on the forms of recipients, which belong to Frappe or other apps: one function per DocType.

Frappe calls these by the hook `override_doctype_dashboards` and does not say for which DocType.
"""

from functools import partial

from frappe import _


def _show_enrollments(data: dict, doctype: str) -> dict:
	"""Add Drip Enrollment to the Connections of a DocType."""
	# Without a field name of its own a dashboard counts nothing (Frappe 15 and 16, form/dashboard.js).
	if not data.get("fieldname"):
		data["fieldname"] = "recipient"
	data.setdefault("non_standard_fieldnames", {})["Drip Enrollment"] = "recipient"
	data.setdefault("dynamic_links", {})["recipient"] = [doctype, "recipient_type"]
	data.setdefault("transactions", []).append({"label": _("Campaigns"), "items": ["Drip Enrollment"]})
	return data


show_on_contact = partial(_show_enrollments, doctype="Contact")
show_on_user = partial(_show_enrollments, doctype="User")
show_on_email_group_member = partial(_show_enrollments, doctype="Email Group Member")
show_on_lead = partial(_show_enrollments, doctype="Lead")
show_on_customer = partial(_show_enrollments, doctype="Customer")
show_on_opportunity = partial(_show_enrollments, doctype="Opportunity")
show_on_prospect = partial(_show_enrollments, doctype="Prospect")
show_on_supplier = partial(_show_enrollments, doctype="Supplier")
show_on_employee = partial(_show_enrollments, doctype="Employee")
show_on_crm_lead = partial(_show_enrollments, doctype="CRM Lead")
show_on_crm_deal = partial(_show_enrollments, doctype="CRM Deal")
