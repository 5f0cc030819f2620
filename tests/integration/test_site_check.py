"""A run of the tests stops at its start if they can't pass on the site, and says what to do."""

import frappe
from frappe.utils.background_jobs import get_queue, get_redis_conn
from rq import Worker

from tests.site_check import find_problem


def test_site_of_this_run_has_no_problem(site):
	assert find_problem() == ""


def test_site_that_may_hold_real_data_is_named(site, monkeypatch):
	monkeypatch.setitem(frappe.local.conf, "allow_tests", 0)

	assert "set allow_tests in its site_config.json" in find_problem()


def test_other_time_zone_is_named(site):
	frappe.db.set_single_value("System Settings", "time_zone", "America/New_York")
	frappe.clear_document_cache("System Settings", "System Settings")

	problem = find_problem()

	frappe.db.rollback()
	frappe.clear_document_cache("System Settings", "System Settings")
	assert problem == "its time zone is America/New_York. Set Time Zone in its System Settings to UTC."


def test_worker_is_named_while_it_lives(site):
	worker = Worker([get_queue("short")], connection=get_redis_conn())
	worker.register_birth()
	try:
		alive = find_problem()
		worker.pid = 2**22 + 1  # above every process ID of Linux
		get_redis_conn().hset(worker.key, "pid", worker.pid)
		killed = find_problem()
	finally:
		worker.register_death()

	assert "Stop the workers" in alive
	assert killed == ""
