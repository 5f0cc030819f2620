"""What a site must be so that the tests can run on it."""

import socket

import frappe
import psutil
from frappe.utils.background_jobs import get_workers
from rq import Worker

TIME_ZONES = ("UTC", "Etc/UTC", "Europe/Berlin")  # the last one is the dev site's


def find_problem() -> str:
	"""Return why the tests can't run on the connected site, with the remedy, or an empty string."""
	if not frappe.conf.allow_tests:
		return "it may hold real data. If it doesn't, set allow_tests in its site_config.json."
	if not frappe.is_setup_complete():
		return "its setup wizard isn't completed. Log in to the site and complete it."
	if (zone := frappe.utils.get_system_timezone()) not in TIME_ZONES:
		return f"its time zone is {zone}. Set Time Zone in its System Settings to UTC."
	if any(_is_alive(worker) for worker in get_workers()):
		return "a worker would run the jobs of the tests. Stop the workers and the scheduler, but not Redis and MariaDB."
	return ""


def _is_alive(worker: Worker) -> bool:
	"""Return whether a listed worker runs: one that was killed stays listed for some minutes."""
	return worker.hostname != socket.gethostname() or psutil.pid_exists(worker.pid)
