"""What installing adds beside the DocTypes: two roles, and a field for what another app brings. `uninstall.py` is its mirror."""

import frappe

from drip_campaigns.integrations import holidays

ROLES = ("Drip Manager", "Drip User")


def after_install() -> None:
	"""Create what is not there yet; running it twice changes nothing."""
	for role in ROLES:
		if not frappe.db.exists("Role", role):
			frappe.get_doc(doctype="Role", role_name=role, desk_access=1).insert(ignore_permissions=True)
	holidays.make_field_or_remove_it()


def after_migrate() -> None:
	"""Bring what depends on other apps in line with the apps that are here."""
	holidays.make_field_or_remove_it()


def after_app_install(_app: str) -> None:
	"""Take up what an app brings that is installed after ours."""
	holidays.make_field_or_remove_it()
