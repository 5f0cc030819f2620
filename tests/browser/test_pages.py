"""Every page of recipients as people with a phone, a desktop, a keyboard or a screen reader find it, in two languages.

Axe (axe-core) looks for what keeps somebody out; its package is one of the dev site's, see dev/package.json.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from drip_campaigns.api import public
from tests.browser.audience import Sight, lay_out
from tests.browser.conftest import ROOT

AXE = Path(os.environ.get("DRIP_AXE", ROOT / ".dev" / "node" / "node_modules" / "axe-core" / "axe.min.js"))
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 800}}
DIRECTIONS = {"en": "ltr", "ar": "rtl"}
GRAVE = ("serious", "critical")
RUN_AXE = "axe.run(document, { resultTypes: ['violations'] })"
GIVE_UP = "new Promise((_, refuse) => setTimeout(() => refuse(new Error('axe is stuck')), 20000))"


@pytest.fixture
def sights(web: str, smtp) -> list[Sight]:
	"""What there is to see."""
	return lay_out(smtp)


@pytest.fixture(params=[(language, size) for language in DIRECTIONS for size in SIZES], ids="-".join)
def visit(request, browser: Browser) -> Iterator[tuple[Page, str, str]]:
	"""A visitor's tab, with the language and the size of it."""
	language, size = request.param
	context = browser.new_context(viewport=SIZES[size], locale=language)
	yield context.new_page(), language, size
	context.close()


def go(page: Page, sight: Sight) -> None:
	"""Open a sight, and see that it answers as it should."""
	answer = page.goto(sight.url)
	assert answer.status == sight.status, sight.name
	if sight.press:
		button = page.locator(f'main button[value="{sight.press}"]')
		form = page.locator(f'main form:has(input[name="{sight.press}"], input[value="{sight.press}"])')
		button.or_(form.locator("button")).first.click()
		page.wait_for_load_state()


def find_faults(page: Page, sight: Sight) -> list[str]:
	"""Return what axe calls serious or critical: the rule and where it is broken.

	An email in its sandbox runs no script, axe neither: its HTML is looked at outside.
	"""
	if sight.name == "view":
		html = page.context.request.get(sight.url).text()
		page.goto("about:blank")
		page.set_content(html)
	page.evaluate(AXE.read_text(encoding="utf-8"))
	results = page.evaluate(f"async () => await Promise.race([{RUN_AXE}, {GIVE_UP}])")
	return [
		f"{found['id']}: {node['html']}"
		for found in results["violations"]
		if found["impact"] in GRAVE
		for node in found["nodes"]
	]


def test_every_page_is_looked_at(sights):
	seen = {sight.url.rsplit("/", 2)[1] for sight in sights}

	assert seen == set(public.PAGES), "Add a sight to tests/browser/audience.py"


def test_pages_fit_speak_the_visitors_language_and_ask_nobody_else(sights, visit, screenshots, web):
	page, language, size = visit
	asked, complaints = [], []
	page.on("request", lambda request: asked.append(request.url))
	page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
	folder = screenshots / "pages"
	folder.mkdir(exist_ok=True)

	for sight in sights:
		go(page, sight)
		page.screenshot(path=folder / f"{sight.name}-{language}-{size}.png", full_page=True)

		width = page.evaluate("document.documentElement.scrollWidth")
		root = page.locator("html")
		assert width <= SIZES[size]["width"], f"{sight.name} is {width} wide"
		assert page.title(), sight.name
		if sight.name != "view":  # the email is its author's
			expect(root).to_have_attribute("lang", language)
			expect(root).to_have_attribute("dir", DIRECTIONS[language])
			expect(page.get_by_role("heading", level=1)).to_have_count(1)

	strangers = {url for url in asked if not url.startswith((web, "data:"))}
	refusals = [text for text in complaints if "status of 4" not in text]
	assert not strangers
	assert not refusals


@pytest.mark.skipif(
	not AXE.exists(), reason="axe-core is not installed: make site, or DRIP_AXE=path of axe.min.js"
)
def test_axe_finds_nothing_that_keeps_somebody_out(sights, visit, screenshots):
	page, language, size = visit
	faults = {}

	for sight in sights:
		go(page, sight)
		faults[sight.name] = find_faults(page, sight)

	report = screenshots / "pages" / f"axe-{language}-{size}.json"
	report.parent.mkdir(exist_ok=True)
	report.write_text(json.dumps(faults, indent=1))
	assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize("name", ["leave", "confirm"])
def test_keyboard_alone_and_no_script_are_enough(sights, browser, name):
	[sight] = [sight for sight in sights if sight.name == name]
	context = browser.new_context(java_script_enabled=False)
	page = context.new_page()
	page.goto(sight.url)

	page.keyboard.press("Tab")
	focused = page.locator("main form button:focus")
	expect(focused).to_have_count(1)
	outline = focused.evaluate("element => getComputedStyle(element).outlineStyle")
	page.keyboard.press("Enter")
	page.wait_for_load_state()

	expect(page.get_by_role("status")).to_be_visible()
	assert outline == "solid"
	context.close()
