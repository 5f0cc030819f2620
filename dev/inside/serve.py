"""The site's own processes: `python -m dev.inside.serve web PORT|worker|scheduler`, in the folder of the sites."""

from __future__ import annotations

import os
import sys

import frappe

from dev.paths import APP, ROOT
from dev.processes import LOOPBACK


def serve_web(port: int, reload: bool) -> None:
	"""Serve Desk, the website, assets and files on the loopback address; with `reload`, restart for new code."""
	from frappe.app import application_with_statics
	from werkzeug.serving import run_simple

	run_simple(
		LOOPBACK,
		port,
		application_with_statics(),
		threaded=True,
		use_reloader=reload,
		# Watch the app only: the packages of the environment do not change under a running server
		reloader_type="stat",
		exclude_patterns=["*/site-packages/*", "*/lib/python3*", f"{ROOT}/tests/*", f"{ROOT}/{APP}/public/*"],
	)


def work() -> None:
	"""Carry out background jobs of all queues, one at a time."""
	from frappe.utils.background_jobs import start_worker

	start_worker(quiet=True)


def schedule() -> None:
	"""Queue the due jobs of `scheduler_events` and Scheduled Job Types."""
	from frappe.utils.scheduler import start_scheduler

	start_scheduler()


def main(arguments: list[str]) -> None:
	# Frappe's own modules read the site from here; a reloader's child inherits it
	frappe.sites_and_apps.resolve_site(os.environ["FRAPPE_SITE"], os.getcwd())
	if arguments[0] == "web":
		serve_web(int(arguments[1]), reload="--reload" in arguments)
	elif arguments[0] == "worker":
		work()
	else:
		schedule()


if __name__ == "__main__":
	main(sys.argv[1:])
