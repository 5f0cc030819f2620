"""The headers of everything under /drip/: policy, cookies, caching, and referrers stay as they withstood an attack."""

import re

import frappe
import pytest

from drip_campaigns.api.public import PAGES, VISITS, WEBHOOKS
from drip_campaigns.rendering.links import Links
from tests import factories
from tests.web import Browser

HEADERS = {
	"Cache-Control": "no-store",
	"Referrer-Policy": "no-referrer",
	"X-Content-Type-Options": "nosniff",
	"X-Frame-Options": "DENY",
	"X-Robots-Tag": "noindex, nofollow",
}
PAGE_POLICY = (
	"default-src 'none'; style-src 'nonce-NONCE'; img-src 'self'; form-action 'self'; base-uri 'none'; "
	"frame-ancestors 'none'"
)
VIEW_POLICY = (
	"sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http: https: data:; "
	"style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
NONCE = re.compile(r"'nonce-([\w-]{22})'")


@pytest.fixture
def paths(web, campaign, clock):
	"""Paths under /drip/ by what they are: good and bad links of each page, and a preview."""
	enrollment = factories.enroll(campaign, factories.make_contact("Ada"), clock)
	factories.run(clock)
	mail, links = frappe.get_last_doc("Drip Email"), Links()
	urls = {
		"leave": links.unsubscribe(enrollment.name),
		"preferences": links.preferences(enrollment.name, enrollment.email_address),
		"confirm": links.confirm(enrollment.name),
		"view": links.view(mail.name),
		"preview": links.preview(),
		**{f"bad {name}": f"{links.root}{name}/nonsense" for name in (*PAGES, *VISITS)},
	}
	return {what: url.removeprefix(web) for what, url in urls.items()}


def policy_of(answer) -> str:
	"""Return the policy of an answer, with the nonce of the request replaced by a word."""
	return NONCE.sub("'nonce-NONCE'", answer.headers["Content-Security-Policy"] or "")


def test_every_page_has_these_headers_whatever_its_answer(web, paths):
	answers = {what: Browser(web).get(path) for what, path in paths.items()}

	wrong = {
		(what, name): answer.headers.get_all(name)
		for what, answer in answers.items()
		for name, value in HEADERS.items()
		if answer.headers.get_all(name) != [value]
	}
	assert wrong == {}
	assert {what for what, answer in answers.items() if answer.status not in (200, 404, 410)} == set()


def test_every_page_forbids_scripts_frames_and_other_hosts(web, paths):
	answers = {what: Browser(web).get(path) for what, path in paths.items() if what != "bad open"}

	policies = {what: policy_of(answer) for what, answer in answers.items()}
	assert policies.pop("view") == VIEW_POLICY
	assert set(policies.values()) == {PAGE_POLICY}
	assert not [
		what for what, answer in answers.items() if re.search(r"<script|\son\w+=|javascript:", answer.text)
	]


def test_nonce_is_another_one_each_time(web, paths):
	nonces = [
		NONCE.search(Browser(web).get(paths["leave"]).headers["Content-Security-Policy"])[1] for _ in range(3)
	]

	assert len(set(nonces)) == 3


def test_answer_to_a_post_has_the_same_headers(web, paths):
	answer = Browser(web).post(paths["leave"], {"List-Unsubscribe": "One-Click"})

	assert {name: answer.headers[name] for name in HEADERS} == HEADERS
	assert policy_of(answer) == PAGE_POLICY


def test_no_page_signs_anybody_in_or_identifies_them_with_a_cookie(web, paths):
	for what, path in paths.items():
		cookies = Browser(web).get(path).headers.get_all("Set-Cookie") or []
		values = dict(cookie.partition(";")[0].split("=", 1) for cookie in cookies)
		assert values.get("sid", "Guest") == "Guest", what
		assert values.get("user_id", "Guest") == "Guest", what
		assert set(values) <= {"sid", "system_user", "full_name", "user_id", "user_image", "user_lang"}, what


def test_pages_answer_no_other_origin_and_name_no_address(web, paths):
	for what, path in paths.items():
		answer = Browser(web).send(path, "GET", headers={"Origin": "https://evil.example"})
		assert answer.headers["Access-Control-Allow-Origin"] is None, what
	assert "@" not in "".join(paths.values())


@pytest.mark.parametrize("webhook", sorted(WEBHOOKS))
def test_webhooks_say_nothing_but_whether_they_took_it(web, webhook):
	answer = Browser(web).post_raw(f"/drip/{webhook}", b"{}", "application/json")

	assert (answer.status, answer.text) == (403, "not signed")
