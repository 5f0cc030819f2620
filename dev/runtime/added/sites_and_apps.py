"""Sites and many apps, as Frappe has them: the functions of `frappe/__init__.py` that the fork made constants.

`corrections.py` imports these names into `frappe` in place of the fork's. One process serves one site: where the
fork calls `frappe.init()` without a site, the last one initialised is meant, else the one of `FRAPPE_SITE`.
"""

from __future__ import annotations

import os
import types
from typing import Any

import frappe
from frappe.utils.caching import request_cache

# (site, absolute sites path) of the last init(site), shared by all threads of the process
process_site: tuple[str | None, str | None] = (None, None)


def resolve_site(site: str | None, sites_path: str | None) -> tuple[str, str]:
	"""Return the site and its absolute sites path; remember them for calls that name neither."""
	global process_site

	known_site, known_path = process_site
	site = site or getattr(frappe.local, "site", None) or known_site or os.environ.get("FRAPPE_SITE")
	if not site:
		raise frappe.SiteNotSpecifiedError("Name the site: frappe.init(site), or the variable FRAPPE_SITE")
	if site != known_site:
		known_path = None
	path = os.path.abspath(sites_path or known_path or os.environ.get("SITES_PATH") or ".")
	process_site = (site, path)
	return site, path


class init_site:
	"""Initialise a site for the length of a `with` block, without a database connection."""

	def __init__(self, site: str | None = None) -> None:
		self.site = site

	def __enter__(self) -> Any:
		frappe.init(self.site, force=True)
		return frappe.local

	def __exit__(self, *exception: object) -> None:
		frappe.destroy()


def get_site_name(hostname: str | None = None) -> str | None:
	return getattr(frappe.local, "site", None) or process_site[0]


def get_all_apps(with_internal_apps: bool = True, sites_path: str | None = None) -> list[str]:
	"""Return the apps of `sites/apps.txt`, Frappe first."""
	apps_txt = os.path.join(sites_path or frappe.local.sites_path, "apps.txt")
	others = [app for app in frappe.get_file_items(apps_txt, raise_not_found=True) if app != "frappe"]
	return ["frappe", *others] if with_internal_apps else others


@request_cache
def get_installed_apps(*, _ensure_on_bench: bool = False) -> list[str]:
	"""Return the apps installed on this site, in the order of their installation."""
	if getattr(frappe.flags, "in_install_db", True):
		return []
	if not frappe.db:
		frappe.connect()
	installed = frappe.parse_json(frappe.db.get_global("installed_apps") or "[]")
	if _ensure_on_bench:
		present = frappe.get_all_apps()
		installed = [app for app in installed if app in present]
	return installed


def get_app_path(app_name: str, *joins: str) -> str:
	return frappe.get_pymodule_path(app_name, *joins)


def get_app_source_path(app_name: str, *joins: str) -> str:
	return frappe.get_app_path(app_name, "..", *joins)


def get_module_list(app_name: str) -> list[str]:
	return frappe.get_file_items(frappe.get_app_path(app_name, "modules.txt"))


def load_app_hooks(app_name: str | None = None) -> dict:
	"""Merge the `hooks.py` of one app, or of all installed ones in their order."""
	hooks: dict = {}
	for app in [app_name] if app_name else frappe.get_installed_apps(_ensure_on_bench=True):
		try:
			module = frappe.get_module(f"{app}.hooks")
		except ImportError:
			# Frappe goes on with an app whose hooks cannot be imported only while that app is installed
			if frappe.local.flags.in_install_app:
				continue
			raise
		for key, value in sorted(vars(module).items()):
			if not key.startswith("_") and not isinstance(
				value, types.ModuleType | types.FunctionType | type
			):
				frappe.append_hook(hooks, key, value)
	return hooks


def setup_module_map(include_all_apps: bool = True) -> None:
	"""Fill `local.module_app` and `local.app_modules` from every app's `modules.txt`.

	Frappe asks for the installed apps only, in requests and jobs, which opens a database connection before the
	site is initialised; here all apps of `apps.txt` are mapped in every case.
	"""
	app_modules = frappe.cache.get_value("app_modules")
	if not app_modules:
		apps = frappe.get_all_apps()
		app_modules = {app: [frappe.scrub(m) for m in frappe.get_module_list(app)] for app in apps}
		frappe.cache.set_value("app_modules", app_modules)
	frappe.local.app_modules = app_modules
	frappe.local.module_app = {module: app for app, modules in app_modules.items() for module in modules}


@request_cache
def is_setup_complete() -> bool:
	"""Tell whether the setup wizard is done. (The fork asks for a table, but a Single has none.)"""
	return bool(frappe.db.get_single_value("System Settings", "setup_complete"))
