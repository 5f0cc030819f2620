"""What scanners, proxies and attackers do with links: everything is looked at over and over, and nothing happens."""

import random
import re
import urllib.error
import urllib.parse
import urllib.request

import frappe
import pytest

from drip_campaigns.api import desk
from drip_campaigns.api.public import BAD_TOKENS_PER_HOUR
from drip_campaigns.pages.rate_limits import TooManyRequestsError, count_request
from drip_campaigns.rendering.links import Links
from tests import factories
from tests.core.test_tokens import mutate
from tests.factories import DOMAIN
from tests.web import Browser

MUTATED = 300
PAGES = ("leave", "preferences", "confirm", "view", "click", "open")
VOLATILE = ("Sessions", "Activity Log", "Error Log", "Route History", "Access Log", "Scheduled Job Log")


@pytest.fixture
def received(web, clock, smtp):
	"""An email with every kind of link, and one that asks for a confirmation, as a mail server received them."""
	frappe.db.set_single_value("Drip Settings", "unsubscribe_mailbox", f"leave@{DOMAIN}")
	frappe.clear_document_cache("Drip Settings", "Drip Settings")
	for number, fields in enumerate(({"has_browser_link": 1}, {"double_opt_in": "Always"})):
		text = '<p>Hello <a href="https://shop.example/">Shop</a></p>'
		campaign = factories.make_active_campaign(clock, factories.step(0, "Hello", text), **fields)
		factories.enroll(campaign, factories.make_contact("Ada", f"ada{number}@{DOMAIN}"), clock)
	factories.run(clock)
	return smtp.messages


def links_in(messages) -> set[str]:
	"""Return every link to this site of the emails: of their headers, HTML and plain text."""
	texts = [
		text
		for message in messages
		for text in (message.message["List-Unsubscribe"], message.part("html"), message.part("plain"))
	]
	return {link for text in texts for link in re.findall(r"https?://[^\s\"'<>()]+/drip/[^\s\"'<>()]+", text)}


def fingerprint() -> dict[str, object]:
	"""Return what every table of the site holds: a checksum each, but for what a web server notes of any visit."""
	frappe.db.rollback()
	tables = [
		table for table in frappe.db.get_tables(cached=False) if table.removeprefix("tab") not in VOLATILE
	]
	return {
		table: frappe.db.sql(f"CHECKSUM TABLE `{table}`")[0][1] for table in tables if table.startswith("tab")
	}


def test_e_mails_have_links_of_every_kind(received):
	kinds = {link.split("/drip/")[1].partition("/")[0] for link in links_in(received)}

	assert kinds == {"leave", "preferences", "view", "confirm", "click", "open"}


def test_walking_all_links_with_get_and_head_twice_changes_nothing_in_the_database(web, received):
	links, browser = sorted(links_in(received)), Browser(web)
	for link in links:
		browser.get(link)  # caches that fill themselves with the first visit are filled
	before = fingerprint()

	answers = {
		(link, method, number): browser.get(link, method=method).status
		for link in links
		for method in ("GET", "HEAD")
		for number in range(2)
	}

	wrong = {
		case: status for case, status in answers.items() if status != (302 if "/click/" in case[0] else 200)
	}
	assert wrong == {}
	assert fingerprint() == before


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "PATCH", "DELETE", "GET"])
def test_nothing_but_a_post_acts_whatever_the_query_or_a_header_says(web, received, method):
	links, browser = sorted(links_in(received)), Browser(web)
	for link in links:
		browser.get(link)
	before = fingerprint()

	query = "?action=erase&scope=everything&List-Unsubscribe=One-Click&_method=POST&redirect-to=https://evil.example"
	override = {"X-HTTP-Method-Override": "POST"}
	answers = [browser.send(link + query, method, headers=override) for link in links]

	assert {answer.status for answer in answers} <= {200, 302, 400, 403, 404, 405, 417}
	assert not [answer for answer in answers if "evil" in answer.headers.get("Location", "")]
	assert fingerprint() == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_token_of_one_purpose_opens_no_page_of_another(web, received, method):
	before, browser, opened = fingerprint(), Browser(web), []

	for link in links_in(received):
		root, _slash, rest = link.partition("/drip/")
		own, _slash, token = rest.partition("/")
		for page in {*PAGES, "address"} - {own}:
			answer = browser.send(f"{root}/drip/{page}/{token}", method, b"action=leave")
			opened += [] if answer.status == 404 else [(own, page, answer.status)]

	assert opened == []
	assert fingerprint() == before


FORMS = {
	"five megabytes": ("application/x-www-form-urlencoded", b"action=reason&comment=" + b"a" * 5_000_000),
	"bytes that are no text": (
		"application/x-www-form-urlencoded",
		b"action=reason&comment=%ff%fe%00%ed%a0%80x",
	),
	"ten thousand fields": (
		"application/x-www-form-urlencoded",
		b"&".join(b"shown-%d=1" % n for n in range(10_000)),
	),
	"a broken multipart": ("multipart/form-data", b"--nothing"),
	"JSON": ("application/json", b'{"action": ["reason"], "comment": {"a": 1}}'),
	"broken JSON": ("application/json", b'{"action": '),
	"a header of its own": (
		"application/x-www-form-urlencoded",
		b"action=reason&comment=a%0d%0aBcc:%20eve@evil.example",
	),
}


@pytest.mark.parametrize("form", FORMS)
def test_form_of_an_attacker_breaks_nothing_and_gets_no_more_than_its_link_gives(web, received, form):
	kind, body = FORMS[form]
	browser, links = Browser(web), links_in(received)

	answers = [
		browser.send(link, "POST", body, {"Content-Type": kind})
		for link in links
		if any(f"/drip/{page}/" in link for page in ("leave", "preferences", "confirm"))
	]
	# Frappe 15 breaks over JSON that is none wherever it is sent to, before an app is asked
	without_us = browser.send(f"{web}/api/method/ping", "POST", body, {"Content-Type": kind}).status
	frappe.db.rollback()

	assert {answer.status for answer in answers if answer.status >= 500} <= {without_us}
	assert factories.count("Drip Suppression") == 0
	reasons = frappe.get_all("Drip Enrollment", pluck="unsubscribe_reason")
	assert not [
		reason for reason in reasons if reason and (len(reason) > 500 or "\0" in reason or "\n" in reason)
	]


def test_host_that_a_request_names_stands_on_no_page(web, received):
	evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
	links = [link for link in links_in(received) if "/click/" not in link and "/open/" not in link]

	pages = [Browser(web).send(link, "GET", headers=evil) for link in links]

	assert {page.status for page in pages} <= {200, 404}  # 404: no site of that name
	assert not [page for page in pages if "evil.example" in page.text]


def test_mutated_tokens_open_nothing_change_nothing_and_break_nothing(web, received):
	chance, links = random.Random(4), Links()
	enrollment = frappe.get_all("Drip Enrollment", pluck="name")[0]
	before, statuses = fingerprint(), set()

	for number in range(MUTATED):
		page = PAGES[number % len(PAGES)]
		token = mutate(links.unsubscribe(enrollment).rpartition("/")[2], chance)
		if page == "leave" and token in links.unsubscribe(enrollment):
			continue
		statuses.add(ask(f"{web}/drip/{page}/{encode(token)}", "POST" if number % 2 else "GET"))

	assert statuses <= {400, 404, 414, 429}
	assert fingerprint() == before


def ask(address: str, method: str) -> int:
	"""Return the status of the answer."""
	body = b"List-Unsubscribe=One-Click" if method == "POST" else None
	try:
		with urllib.request.urlopen(urllib.request.Request(address, data=body, method=method)) as response:
			return response.status
	except urllib.error.HTTPError as error:
		return error.code


def encode(token: str) -> str:
	"""Return a token as it stands in a path, whatever it is made of."""
	return urllib.parse.quote(token.encode("utf-8", "surrogatepass"), safe="")


@pytest.mark.parametrize("length", [1_000, 50_000])
def test_enormous_token_is_refused(web, length):
	status = ask(f"{web}/drip/leave/{'a' * length}", "GET")

	assert status in (404, 414)


def test_who_tries_bad_tokens_without_end_is_slowed_down_and_good_ones_still_work(web, received):
	with pytest.raises(TooManyRequestsError):
		for _try in range(BAD_TOKENS_PER_HOUR + 1):
			count_request("bad-token", "127.0.0.1", BAD_TOKENS_PER_HOUR)
	[leave] = [link for link in links_in(received[:1]) if "/leave/" in link]

	assert ask(f"{web}/drip/leave/nonsense", "GET") == 429
	assert ask(leave, "GET") == 200


def test_guest_reaches_no_endpoint_of_the_desk_with_the_names_of_records(web, received, connected_site):
	enrollment = frappe.get_last_doc("Drip Enrollment")
	names = {
		"enrollment": enrollment.name,
		"campaign": enrollment.campaign,
		"suppression": "x",
		"because": "x",
		"note": "x",
		"name": "x",
		"step": "x",
	}
	browser = Browser(web)
	whitelisted = [
		name
		for name, function in vars(desk).items()
		if getattr(function, "__module__", "") == desk.__name__ and function in frappe.whitelisted
	]
	before = fingerprint()

	answers = {
		(name, method): (browser.post if method == "POST" else lambda path, form: browser.get(path))(
			f"/api/method/drip_campaigns.api.desk.{name}", names
		).status
		for name in whitelisted
		for method in frappe.allowed_http_methods_for_whitelisted_func[getattr(desk, name)]
	}

	assert len(answers) > 15
	assert {case: status for case, status in answers.items() if status not in (401, 403)} == {}
	assert fingerprint() == before
