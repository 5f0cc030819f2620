"""Installing and uninstalling with Frappe's own commands on a real bench: `make test BENCH=path SITE=name`.

Each command is a process of its own, as on a shell. Afterwards the app is on the site again.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import frappe
import pytest

from drip_campaigns.uninstall import APP
from tests import factories
from tests.bench.inventory import find_traces, take_inventory

TIMEOUT_SECONDS = 1200
APPS = Path("apps.txt")  # the tests run in the folder of the sites


def run_frappe(*arguments: str) -> None:
	"""Run a command of Frappe on the site. Locks of this connection would block it."""
	frappe.db.rollback()
	command = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", os.environ["DRIP_SITE"]]
	result = subprocess.run(
		[*command, *arguments], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
	)
	assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]


@pytest.fixture
def used_site(site, clock, smtp) -> str:
	"""A site on which one email was sent and one is queued; with a file, a comment, and a tag on the campaign."""
	campaign = factories.make_active_campaign(clock)
	factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clock.advance(days=2)
	factories.run(clock)
	campaign.reload().add_comment("Comment", "goes")
	campaign.add_tag("goes")
	frappe.get_doc(
		doctype="File",
		file_name="goes.txt",
		content=frappe.generate_hash(),
		attached_to_doctype=campaign.doctype,
		attached_to_name=campaign.name,
	).insert()
	frappe.db.commit()
	return site


@pytest.fixture
def reinstalled() -> Iterator[None]:
	"""Whatever happens, the app is on the site again afterwards."""
	yield
	frappe.clear_cache()
	if APP not in frappe.get_installed_apps():
		run_frappe("install-app", APP)
	run_frappe("migrate")
	frappe.clear_cache()


@pytest.mark.parametrize("app", [APP, "erpnext"])
def test_dry_run_of_uninstalling_changes_nothing(used_site, app):
	if app not in frappe.get_installed_apps():
		pytest.skip(f"{app} isn't on the site")
	before = take_inventory()

	run_frappe("uninstall-app", app, "--dry-run")

	after = take_inventory()
	assert {name for name in before | after if before.get(name) != after.get(name)} == set()


def test_nothing_of_ours_stays_and_a_bench_that_remembers_the_old_modules_installs(used_site, reinstalled):
	run_frappe("uninstall-app", APP, "--yes", "--no-backup")
	traces = find_traces()

	install_with_old_modules_in_the_cache()

	assert traces == {}
	assert frappe.db.count("DocType", {"module": "Drip Campaigns"}) > 20


def install_with_old_modules_in_the_cache() -> None:
	"""Install the app as on a bench that has just got it: Frappe's cache has the modules of the other apps only."""
	listed = APPS.read_text()
	try:
		APPS.write_text("".join(f"{app}\n" for app in listed.split() if app != APP))
		run_frappe("clear-cache")
		run_frappe("list-apps")
	finally:
		APPS.write_text(listed)
	run_frappe("install-app", APP)
