"""Take an app off a site, which the fork cut out: Frappe's order of steps, on the parts the fork kept."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click
import frappe


def remove_app(
	app_name: str, dry_run: bool = False, yes: bool = False, no_backup: bool = False, force: bool = False
) -> None:
	"""Run the uninstall hooks, delete the app's modules, DocTypes and tables, and forget the app.

	A second run says that the app is not installed. With `dry_run` nothing is changed and no hook runs.
	"""
	if app_name not in frappe.get_installed_apps() and not force:
		click.secho(f"App {app_name} not installed on Site {frappe.local.site}", fg="yellow")
		return
	if dependent := find_dependent_app(app_name):
		click.secho(
			f"App {app_name} is a dependency of {dependent}. Uninstall {dependent} first.", fg="yellow"
		)
		return
	if not dry_run and not yes:
		click.confirm(
			"All doctypes (including custom), modules of this app will be deleted. Continue?", abort=True
		)
	if dry_run:
		delete_modules(app_name, dry_run=True)
		return
	frappe.flags.in_uninstall = True
	try:
		uninstall(app_name)
	finally:
		frappe.flags.in_uninstall = False
	click.secho(f"Uninstalled App {app_name} from Site {frappe.local.site}", fg="green")


def uninstall(app_name: str) -> None:
	"""Carry out the steps. (No backup is made first: the fork has no backups, and this is a dev site.)"""
	hooks = frappe.get_hooks(app_name=app_name)
	run(hooks.before_uninstall)
	run(frappe.get_hooks("before_app_uninstall"), app_name)
	delete_modules(app_name)
	delete_scheduled_jobs(app_name)
	forget_app(app_name)
	run(hooks.after_uninstall)
	run(frappe.get_hooks("after_app_uninstall"), app_name)
	frappe.db.commit()
	frappe.clear_cache()


def run(functions: Iterable[str] | None, *arguments: str) -> None:
	for function in functions or ():
		frappe.get_attr(function)(*arguments)


def find_dependent_app(app_name: str) -> str | None:
	"""Return an installed app which names `app_name` among its required apps."""
	for app in frappe.get_installed_apps():
		required = frappe.get_hooks("required_apps", app_name=app) if app != app_name else ()
		if any(app_name in name for name in required):
			return app
	return None


def delete_modules(app_name: str, dry_run: bool = False) -> None:
	"""Delete the app's Module Defs, what links to them, and the DocTypes with their tables."""
	from frappe.installer import _delete_doctypes, _delete_modules

	modules = frappe.get_all("Module Def", filters={"app_name": app_name}, pluck="name")
	doctypes = _delete_modules(modules, dry_run=dry_run)
	_delete_doctypes(doctypes, dry_run=dry_run)


def delete_scheduled_jobs(app_name: str) -> None:
	"""Delete the app's Scheduled Job Types now; Frappe leaves them to the next migrate."""
	jobs = frappe.get_all("Scheduled Job Type", filters={"method": ("like", f"{app_name}.%")}, pluck="name")
	for job in jobs:
		frappe.delete_doc("Scheduled Job Type", job, force=True)


def forget_app(app_name: str) -> None:
	"""Take the app from the list of installed apps, and its hooks out of the caches."""
	apps = [app for app in frappe.get_installed_apps() if app != app_name]
	frappe.db.set_global("installed_apps", json.dumps(apps))
	frappe.db.commit()
	frappe.clear_cache()
	frappe.local.request_cache.clear()
	frappe.local.doc_events_hooks = None
