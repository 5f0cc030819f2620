"""Create the site and install the app: `python -m dev.inside.make_site create|bring_up_app`.

Runs in the folder of the sites. `create` makes the site anew, whatever was there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import frappe
from frappe.installer import _init_database, install_app, update_site_config
from frappe.migrate import SiteMigration

from dev import processes, services
from dev.paths import APP, SITE

ADMIN_PASSWORD = "admin"
TIME_ZONE = "Europe/Berlin"


def create() -> None:
	"""Make an empty site and set it up, so that Desk opens without the setup wizard."""
	frappe.init(SITE)
	frappe.cache.flushall()
	_init_database(
		db_name=SITE.replace(".", "_"),
		db_root_username="root",
		db_root_password=services.admin_password(),
		admin_password=ADMIN_PASSWORD,
		force=True,
		db_type="mariadb",
		mariadb_user_host_login_scope="127.0.0.1",
	)
	set_up_desk()
	frappe.db.commit()
	frappe.clear_cache()


def set_up_desk() -> None:
	"""Fill in what the setup wizard asks for, and enable the scheduler."""
	settings = frappe.get_single("System Settings")
	settings.update(
		{
			"language": "en",
			"country": "Germany",
			"time_zone": TIME_ZONE,
			"date_format": "yyyy-mm-dd",
			"time_format": "HH:mm:ss",
			"number_format": "#,###.##",
			"first_day_of_the_week": "Monday",
			"enable_scheduler": 1,
			"enable_onboarding": 0,
			"enable_telemetry": 0,
			"setup_complete": 1,
		}
	)
	settings.flags.ignore_mandatory = True
	settings.save()
	frappe.db.set_value("User", "Administrator", "time_zone", TIME_ZONE)
	frappe.db.set_default("desktop:home_page", "workspace")
	frappe.db.set_default("country", "Germany")
	update_site_config("allow_tests", 1)


def bring_up_app() -> None:
	"""Install the app, or migrate the site to the present state of its files; see that its DocTypes are there."""
	frappe.init(SITE)
	frappe.connect()
	# A map made before the app was named in apps.txt would install the app without its DocTypes
	frappe.clear_cache()
	frappe.setup_module_map()
	if APP in frappe.get_installed_apps():
		SiteMigration(skip_search_index=True).run(SITE)
		frappe.init(SITE, force=True)
		frappe.connect()
	else:
		# Forced, to continue an interrupted installation
		install_app(APP, force=True)
		frappe.db.commit()
	update_site_config(
		"drip_webhook_hosts", [processes.LOOPBACK]
	)  # for Webhooks to this machine, as tests make them
	# Frappe refuses more than 60 new users an hour, and tests make many: the demo after them would fail.
	update_site_config("throttle_user_limit", 100_000)
	check_doctypes()


def check_doctypes() -> None:
	"""Stop where a DocType of the app's files has no record, or a record has no table."""
	wanted = set(doctype_names())
	present = set(frappe.get_all("DocType", filters={"name": ("in", list(wanted) or [""])}, pluck="name"))
	tables = set(frappe.db.get_tables(cached=False))
	singles = set(frappe.get_all("DocType", filters={"issingle": 1}, pluck="name"))
	without_table = {name for name in present - singles if f"tab{name}" not in tables}
	if lost := sorted((wanted - present) | without_table):
		sys.exit(f"These DocTypes of {APP} are not on the site: {', '.join(lost)}")
	print(f"{len(present)} DocTypes of {APP} are on the site")


def doctype_names() -> list[str]:
	"""Return the names of the DocTypes that the app's files define."""
	names = []
	for module in frappe.get_module_list(APP):
		folder = frappe.get_app_path(APP, frappe.scrub(module), "doctype")
		for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
			file = os.path.join(folder, entry, f"{entry}.json")
			if os.path.exists(file):
				names.append(frappe.get_file_json(file)["name"])
	return names


COMMANDS: dict[str, Callable[[], None]] = {"create": create, "bring_up_app": bring_up_app}

if __name__ == "__main__":
	COMMANDS[sys.argv[1]]()
	frappe.destroy()
