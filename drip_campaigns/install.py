"""What installing adds beside the DocTypes: two roles, the settings to begin with, and a field for what another app brings.

`uninstall.py` is its mirror.
"""

import frappe

from drip_campaigns.campaign import holiday_field

ROLES = ("Drip Manager", "Drip User")


def after_install() -> None:
	"""Create what is not there yet; running it twice changes nothing."""
	for role in ROLES:
		if not frappe.db.exists("Role", role):
			frappe.get_doc(doctype="Role", role_name=role, desk_access=1).insert(ignore_permissions=True)
	fill_settings()
	holiday_field.make_field_or_remove_it()


def after_migrate() -> None:
	"""Give new settings their defaults, and bring what depends on other apps in line with the apps that are here."""
	fill_settings()
	holiday_field.make_field_or_remove_it()


def fill_settings() -> None:
	"""Write the default of each setting that nobody has saved yet; what somebody has set stays, 0 and empty as well.

	Desk shows a 0 where a single record lacks a value, and would save it: no limit, no consent, no brake.
	"""
	saved = frappe.db.get_singles_dict("Drip Settings")
	fields = frappe.get_meta("Drip Settings").fields
	missing = {
		field.fieldname: field.default
		for field in fields
		if field.default is not None and saved.get(field.fieldname) is None
	}
	if missing:
		frappe.db.set_single_value("Drip Settings", missing, update_modified=False)


def after_app_install(_app: str) -> None:
	"""Take up what an app brings that is installed after ours."""
	holiday_field.make_field_or_remove_it()
