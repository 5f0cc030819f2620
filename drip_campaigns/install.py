"""Add what the app needs in addition to its DocTypes: two roles, default settings, and a field for another app's DocType.

`uninstall.py` undoes it.
"""

import click
import frappe
from frappe import _

from drip_campaigns.campaign import holiday_field
from drip_campaigns.db.single_writes import write_settings

ROLES = ("Drip Manager", "Drip User")
# DocTypes of the development versions before 1.0.0, which have other names now
EARLIER_DOCTYPES = ("Drip Figure", "Drip Prefab")


def before_install() -> None:
	"""Read the list of modules again, in which Frappe looks for our DocTypes.

	A bench that got the app without building its assets still has the list from before (frappe/frappe#41437), and
	would install an app without DocTypes.
	"""
	frappe.setup_module_map()


def after_install() -> None:
	"""Create what is missing. Idempotent."""
	for role in ROLES:
		if not frappe.db.exists("Role", role):
			# nosemgrep: ignore-permissions - runs at install
			frappe.get_doc(doctype="Role", role_name=role, desk_access=1).insert(ignore_permissions=True)
	fill_settings()
	holiday_field.sync_holiday_field()


def before_migrate() -> None:
	"""Stop the migration of a site that an earlier development version installed, before anything changes."""
	if frappe.db.exists("DocType", {"name": ["in", EARLIER_DOCTYPES]}):
		text = _(
			"This site has a development version of Drip Campaigns that cannot be migrated to 1.0.0: uninstall the app "
			"with that version's code and install it again, or make a new site (in a development folder: make clean site)."
		)
		raise click.ClickException(text)


def after_migrate() -> None:
	"""Give new settings their defaults, and update what depends on other installed apps."""
	fill_settings()
	holiday_field.sync_holiday_field()


def fill_settings() -> None:
	"""Write the default of each setting that was never saved. Saved values stay, also 0 and empty ones.

	Desk shows a missing value of a Single as 0 and would save it: no limit, no consent, no sending block.
	"""
	saved = frappe.db.get_singles_dict("Drip Settings")
	fields = frappe.get_meta("Drip Settings").fields
	missing = {
		field.fieldname: field.default
		for field in fields
		if field.default is not None and saved.get(field.fieldname) is None
	}
	if missing:
		write_settings("Drip Settings", missing, update_modified=False)


def after_app_install(_app: str) -> None:
	"""Use what an app adds that is installed after ours."""
	holiday_field.sync_holiday_field()
