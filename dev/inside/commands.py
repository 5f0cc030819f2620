"""The commands behind `dev/frappe`: a few of bench's, and those of the installed apps."""

from __future__ import annotations

import importlib
import json
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import frappe
from frappe.utils.bench_helper import CliCtxObj

from dev import packages
from dev.paths import SITE, SITES


@contextmanager
def connected() -> Iterator[None]:
	"""Be on the site as Administrator for a `with` block."""
	frappe.init(SITE, sites_path=str(SITES), force=True)
	frappe.connect()
	try:
		yield
	finally:
		frappe.destroy()


def as_python(text: str | None, name: str) -> Any:
	"""Read a JSON value from the command line."""
	try:
		return json.loads(text) if text else None
	except ValueError as error:
		raise click.BadParameter(f"{name} must be JSON, for example '[\"name\"]': {error}") from error


@click.command()
@click.argument("method")
@click.option("--args", "positional", help="JSON list of arguments, e.g. '[\"name\"]'")
@click.option("--kwargs", "named", help='JSON object of arguments, e.g. \'{"name": "x"}\'')
def execute(method: str, positional: str | None, named: str | None) -> None:
	"""Call METHOD, a dotted path, commit, and print what it returns as JSON."""
	positional_values = as_python(positional, "--args") or []
	named_values = as_python(named, "--kwargs") or {}
	with connected():
		result = frappe.get_attr(method)(*positional_values, **named_values)
		frappe.db.commit()
		if result is not None:
			click.echo(frappe.as_json(result))


@click.command()
def console() -> None:
	"""Open an IPython console on the site."""
	from IPython import start_ipython

	with connected():
		start_ipython(argv=["--no-banner"], user_ns={"frappe": frappe})


@click.command()
@click.option("--skip-search-index", is_flag=True, help="do not queue the website's search index")
def migrate(skip_search_index: bool) -> None:
	"""Run the patches and update the site to the apps' files."""
	from frappe.migrate import SiteMigration

	SiteMigration(skip_search_index=skip_search_index).run(SITE)


@click.command("install-app")
@click.argument("apps", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="install again what is installed")
def install_app(apps: tuple[str, ...], force: bool) -> None:
	"""Install apps that are named in sites/apps.txt."""
	from frappe.installer import install_app as install

	with connected():
		for app in apps:
			install(app, force=force)
		frappe.db.commit()


@click.command("uninstall-app")
@click.argument("app")
@click.option("--yes", "-y", is_flag=True, help="do not ask")
@click.option("--dry-run", is_flag=True, help="only list what would be removed")
@click.option("--force", is_flag=True, help="also when the app is not installed")
@click.option("--no-backup", is_flag=True, help="accepted as on a bench; no backup is made here")
def uninstall_app(app: str, yes: bool, dry_run: bool, force: bool, no_backup: bool) -> None:
	"""Remove an app and its DocTypes, tables and records from the site."""
	from frappe.installer import remove_app

	with connected():
		remove_app(app, dry_run=dry_run, yes=yes, no_backup=no_backup, force=force)


@click.command("list-apps")
def list_apps() -> None:
	"""List the installed apps."""
	with connected():
		click.echo("\n".join(frappe.get_installed_apps()))


@click.command("clear-cache")
def clear_cache() -> None:
	"""Forget what Redis remembers, hooks included."""
	with connected():
		frappe.clear_cache()


@click.command("set-config")
@click.argument("key")
@click.argument("value")
def set_config(key: str, value: str) -> None:
	"""Write KEY into the site's site_config.json; a VALUE that is JSON is stored as such."""
	from frappe.installer import update_site_config

	with connected():
		try:
			update_site_config(key, json.loads(value))
		except ValueError:
			update_site_config(key, value)


@click.command()
@click.argument("state", type=click.Choice(["enable", "disable", "status"]))
def scheduler(state: str) -> None:
	"""Enable or disable the scheduler."""
	from frappe.utils.scheduler import is_scheduler_disabled, toggle_scheduler

	with connected():
		if state != "status":
			toggle_scheduler(state == "enable")
			frappe.db.commit()
		click.echo(f"Scheduler is {'disabled' if is_scheduler_disabled(verbose=False) else 'enabled'}")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def mariadb(arguments: tuple[str, ...]) -> None:
	"""Open MariaDB's client on the site's database; ARGUMENTS are the client's own."""
	frappe.init(SITE, sites_path=str(SITES))
	conf = frappe.conf
	client = packages.find("mariadb") or "mariadb"
	login = [f"--user={conf.db_user}", f"--host={conf.db_host}", f"--port={conf.db_port}", conf.db_name]
	# In the environment: every user of the machine can read a command line
	os.execve(client, [client, *login, *arguments], {**os.environ, "MYSQL_PWD": conf.db_password})


COMMANDS = (
	execute,
	console,
	migrate,
	install_app,
	uninstall_app,
	list_apps,
	clear_cache,
	set_config,
	scheduler,
	mariadb,
)


def app_commands() -> dict[str, click.Command]:
	"""Return what the installed apps list as `commands` in their commands.py; a broken one is reported."""
	with connected():
		apps = [app for app in frappe.get_installed_apps() if app != "frappe"]
	found: dict[str, click.Command] = {}
	for app in apps:
		try:
			module = importlib.import_module(f"{app}.commands")
		except ModuleNotFoundError as error:
			if error.name != f"{app}.commands":
				traceback.print_exc()
			continue
		found |= {command.name: command for command in getattr(module, "commands", ()) if command.name}
	return found


def main() -> None:
	context = CliCtxObj(sites=[SITE], force=False, profile=False, verbose=False)
	group = click.Group(
		"frappe",
		commands={**app_commands(), **{command.name: command for command in COMMANDS}},
		help=f"Commands on the site {SITE}, as `bench --site` has them.",
	)
	group(prog_name="dev/frappe", obj=context)


if __name__ == "__main__":
	main()
