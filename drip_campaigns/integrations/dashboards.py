"""Connections on the forms of recipients, which belong to Frappe or ERPNext: one function per DocType.

Frappe calls these by the hook `override_doctype_dashboards` and does not say for which DocType.
"""

from frappe import _


def show_enrollments_of_contact(data: dict) -> dict:
	"""Add Drip Enrollment to the Connections of a Contact."""
	return _show_enrollments(data, "Contact")


def show_enrollments_of_user(data: dict) -> dict:
	"""Add Drip Enrollment to the Connections of a User."""
	return _show_enrollments(data, "User")


def show_enrollments_of_lead(data: dict) -> dict:
	"""Add Drip Enrollment to the Connections of an ERPNext Lead."""
	return _show_enrollments(data, "Lead")


def _show_enrollments(data: dict, doctype: str) -> dict:
	# Without a field name of its own a dashboard counts nothing (Frappe 15 and 16, form/dashboard.js).
	if not data.get("fieldname"):
		data["fieldname"] = "recipient"
	data.setdefault("non_standard_fieldnames", {})["Drip Enrollment"] = "recipient"
	data.setdefault("dynamic_links", {})["recipient"] = [doctype, "recipient_type"]
	data.setdefault("transactions", []).append({"label": _("Campaigns"), "items": ["Drip Enrollment"]})
	return data
