"""A Chromium, a folder for pictures, and a Desk with somebody logged in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests import factories
from tests.browser.desk import TIMEOUT_MILLISECONDS, Desk

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("DRIP_CHROMIUM", "/usr/bin/chromium")
SWITCHES = (
	"--headless",
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
)
DESKTOP = {"width": 1400, "height": 950}
PASSWORD = "drip-browser-test-1"  # of a user that exists on test sites only


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
	"""The folder for pictures: DRIP_SCREENSHOTS, else .dev/screenshots on the dev site, else a temporary one."""
	named = os.environ.get("DRIP_SCREENSHOTS")
	on_dev_site = Path(os.environ["DRIP_SITES_PATH"]).resolve().is_relative_to(ROOT / ".dev")
	folder = (
		Path(named)
		if named
		else ROOT / ".dev" / "screenshots"
		if on_dev_site
		else tmp_path_factory.mktemp("shots")
	)
	folder.mkdir(parents=True, exist_ok=True)
	return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
	"""One headless Chromium for the session."""
	expect.set_options(timeout=TIMEOUT_MILLISECONDS)
	with sync_playwright() as playwright:
		chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
		yield chromium
		chromium.close()


@contextmanager
def signed_in(web: str, browser: Browser, screenshots: Path, name: str, *roles: str) -> Iterator[Desk]:
	"""Give a Desk with a new user of these roles, logged in through the login page."""
	from frappe.utils.password import update_password

	user = factories.make_user(name, *roles)
	update_password(user, PASSWORD)
	factories.frappe.db.commit()
	context = browser.new_context(viewport=DESKTOP, base_url=web)
	desk = Desk(context.new_page(), screenshots)
	desk.log_in(user, PASSWORD)
	yield desk
	desk.shoot("last-seen")  # where a test that failed stood
	desk.page.goto("about:blank")  # so that no request of Desk is under way when the site is cleared
	context.close()


@pytest.fixture
def desk(web: str, browser: Browser, screenshots: Path) -> Iterator[Desk]:
	"""Desk, with a Drip Manager logged in through the login page."""
	with signed_in(web, browser, screenshots, "manager", "Drip Manager", "System Manager") as desk:
		yield desk
