"""The fixtures of all tests: a connected site without our records, a scripted mail server, and a web server.

DRIP_SITES_PATH and DRIP_SITE name the site: the dev site, or one of a bench. Its site_config.json must set
`allow_tests`, as for Frappe's own tests, because each test first deletes the data of this app. DRIP_BENCH is the folder of
a bench, without which tests/bench isn't collected.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # the core's tests run where only pytest and hypothesis are installed
	from tests.fakes import Clock, MailServer
	from tests.web import WebServer

TESTS = Path(__file__).parent
CORE_ONLY = "DRIP_SITE" not in os.environ


def pytest_ignore_collect(collection_path, config) -> bool | None:
	"""Without a site, collect only tests that need none: `pytest tests/core` runs on bare Python."""
	parts = set(collection_path.relative_to(TESTS).parts)
	needs_site = {"bench", "integration", "journeys", "browser", "fuzz", "test_wiring.py"} & parts
	if CORE_ONLY and needs_site:
		return True
	return True if "bench" in parts and "DRIP_BENCH" not in os.environ else None


@pytest.fixture(scope="session")
def connected_site() -> Iterator[str]:
	"""A connection to the site as Administrator, and an Email Account that sends through the session's mail server."""
	import frappe

	from tests.site_check import find_problem

	os.chdir(os.environ["DRIP_SITES_PATH"])
	frappe.init(os.environ["DRIP_SITE"], sites_path=".")
	frappe.connect()
	if problem := find_problem():
		pytest.exit(f"The tests can't run on {frappe.local.site}: {problem}", 3)
	frappe.local.conf.throttle_user_limit = 100_000  # Frappe refuses more than 60 new users an hour
	frappe.local.conf.setdefault("drip_webhook_hosts", ["127.0.0.1"])  # tests/receiver.py
	if not frappe.local.site.endswith(".localhost"):
		frappe.local.conf.setdefault("host_name", "http://localhost")  # campaigns need an address
	yield frappe.local.site
	frappe.db.rollback()
	frappe.destroy()


@pytest.fixture(scope="session")
def mail_server() -> Iterator[MailServer]:
	"""One SMTP server for the session, on a free port of this machine."""
	from tests.fakes import MailServer

	server = MailServer()
	server.start()
	yield server
	server.stop()


@pytest.fixture
def smtp(mail_server: MailServer) -> MailServer:
	"""The session's SMTP server, with no messages and no scripted answers."""
	mail_server.reset()
	return mail_server


@pytest.fixture(scope="session")
def email_account(connected_site: str, mail_server: MailServer) -> Iterator[str]:
	"""The default outgoing Email Account of the site for the session; afterwards the old default is back."""
	from tests import factories

	before = factories.make_email_account(mail_server.port)
	yield factories.EMAIL_ACCOUNT
	factories.restore_default_account(before)


@pytest.fixture
def site(connected_site: str, email_account: str, smtp: MailServer) -> Iterator[str]:
	"""The site as Administrator, without campaigns, enrollments, queued emails, or people of earlier tests."""
	import frappe

	from tests import factories

	frappe.db.rollback()
	frappe.set_user("Administrator")
	frappe.local.lang = "en"
	factories.clear_site()
	yield connected_site
	frappe.db.rollback()
	frappe.set_user("Administrator")


@pytest.fixture
def clock() -> Clock:
	"""A clock that moves only by hand, from Monday, 2 March 2026, 09:00 UTC."""
	from tests.fakes import Clock

	return Clock()


@pytest.fixture
def campaign(site: str, clock: Clock, request: pytest.FixtureRequest):
	"""An active campaign: days 0, 2, and 4, or the steps and fields of the mark `campaign(*steps, **fields)`."""
	from tests import factories

	mark = request.node.get_closest_marker("campaign")
	return factories.make_active_campaign(
		clock, *(mark.args if mark else ()), **(mark.kwargs if mark else {})
	)


@pytest.fixture(scope="session")
def web_server(connected_site: str) -> Iterator[WebServer]:
	"""The site's web server in its own process."""
	from tests.web import WebServer

	server = WebServer(connected_site, os.environ["DRIP_SITES_PATH"])
	server.start()
	yield server
	server.stop()


@pytest.fixture
def web(site: str, web_server: WebServer) -> Iterator[str]:
	"""The address of the web server, to which the links in emails lead for this test."""
	import frappe

	before = frappe.local.conf.get("host_name")
	frappe.local.conf.host_name = web_server.url
	yield web_server.url
	frappe.local.conf.host_name = before


@pytest.fixture
def upload(site):
	"""Upload content as a private file, and take it away afterwards."""
	import frappe

	made = []

	def put(content: str | bytes, name: str = "drip people.csv") -> str:
		file = frappe.get_doc(
			doctype="File", file_name=name, is_private=1, content=content, owner=frappe.session.user
		).insert()
		made.append(file.name)
		frappe.db.commit()
		return file.file_url

	yield put
	frappe.db.rollback()
	frappe.set_user("Administrator")
	for name in made:
		frappe.delete_doc("File", name, force=True)
	frappe.db.commit()
