"""What installing adds beside the DocTypes: the two roles. `uninstall.py` takes it all away again."""

import frappe

ROLES = ("Drip Manager", "Drip User")


def after_install() -> None:
	"""Create what is not there yet; running it twice changes nothing."""
	for role in ROLES:
		if not frappe.db.exists("Role", role):
			frappe.get_doc(doctype="Role", role_name=role, desk_access=1).insert(ignore_permissions=True)
