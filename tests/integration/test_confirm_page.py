"""The page on which an enrollment is confirmed, over HTTP: GET and HEAD show, POST agrees to what was shown."""

import re

import frappe
import pytest

from drip_campaigns.core.tracking import tokens
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.signing_keys import token_keys
from tests import factories, verbs
from tests.factories import DOMAIN
from tests.web import Browser

TABLES = ("Drip Enrollment", "Drip Email", "Drip Event", "Drip Consent", "Email Queue", "Communication")


@pytest.fixture
def asked(web, clock, smtp):
	"""Ada, who was asked to confirm Spring Offers."""
	clock.now = utc_now()
	campaign = factories.make_active_campaign(clock, name="Drip Test Spring & Offers", double_opt_in="Always")
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	factories.run(clock)
	return enrollment


def link_in(message) -> str:
	"""Return the address of the button."""
	return re.search(r'href="([^"]+/drip/confirm/[^"]+)"', message.part("html")).group(1)


def seen_on(page) -> dict:
	"""Return what the form of the page would send."""
	return {"seen": re.search(r'name="seen" value="([^"]+)"', page.text).group(1)}


def state_of_the_site() -> dict:
	"""Return how many records there are of each kind, and what the enrollments say."""
	frappe.db.rollback()
	fields = ["name", "status", "confirmation", "next_send_at", "modified"]
	rows = frappe.get_all("Drip Enrollment", fields=fields, order_by="name")
	return {**{doctype: frappe.db.count(doctype) for doctype in TABLES}, "enrollments": rows}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_the_link_confirms_nothing(asked, web, smtp, method):
	before = state_of_the_site()

	answers = [Browser(web).get(link_in(smtp.messages[0]), method=method) for _ in range(2)]

	assert [answer.status for answer in answers] == [200, 200]
	assert state_of_the_site() == before


def test_page_says_what_is_agreed_to_and_shows_no_address(asked, web, smtp):
	page = Browser(web).get(link_in(smtp.messages[0]))

	assert "I want to get the emails “Drip Test Spring &amp; Offers”" in page.text
	assert "Spring & Offers" not in page.text
	assert f"ada@{DOMAIN}" not in page.text
	assert "ada@" not in link_in(smtp.messages[0])


def test_pressing_the_button_confirms_and_keeps_what_was_shown(asked, web, smtp):
	browser = Browser(web)
	page = browser.get(link_in(smtp.messages[0]))

	answers = [browser.post(link_in(smtp.messages[0]), seen_on(page)) for _ in range(2)]
	looked = browser.get(link_in(smtp.messages[0]))

	frappe.db.rollback()
	asked.reload()
	assert [answer.status for answer in (*answers, looked)] == [200] * 3
	assert all("You confirmed" in answer.text for answer in (*answers, looked))
	assert (asked.status, asked.confirmation) == ("In Progress", "Confirmed")
	[proof] = frappe.get_all("Drip Consent", fields=["email_address", "wording", "language", "campaign"])
	assert proof.email_address == f"ada@{DOMAIN}"
	assert proof.wording.startswith("I want to get the emails “Drip Test Spring & Offers”")
	assert (proof.language, proof.campaign) == ("en", asked.campaign)


@pytest.mark.parametrize("form", [{}, {"seen": "0" * 24}, {"List-Unsubscribe": "One-Click"}])
def test_posting_without_having_seen_the_text_shows_it_and_confirms_nothing(asked, web, smtp, form):
	before = state_of_the_site()

	answer = Browser(web).post(link_in(smtp.messages[0]), form)

	assert answer.status == 200
	assert "Do you want these emails?" in answer.text
	assert state_of_the_site() == before


def test_text_that_was_changed_meanwhile_is_shown_before_it_is_agreed_to(asked, web, smtp):
	browser = Browser(web)
	page = browser.get(link_in(smtp.messages[0]))
	frappe.db.set_value("Drip Campaign", asked.campaign, "consent_text", "I want everything.")
	frappe.db.commit()

	answer = browser.post(link_in(smtp.messages[0]), seen_on(page))
	unchanged = state_of_the_site()["enrollments"][0].confirmation
	browser.post(link_in(smtp.messages[0]), seen_on(answer))

	frappe.db.rollback()
	assert "I want everything." in answer.text
	assert unchanged == "Awaiting"
	assert frappe.get_all("Drip Consent", pluck="wording") == ["I want everything."]


def test_one_that_has_ended_can_no_longer_be_confirmed(asked, web, smtp, clock):
	browser = Browser(web)
	form = seen_on(browser.get(link_in(smtp.messages[0])))
	verbs.remove(asked.reload(), clock.now)
	frappe.db.commit()
	before = state_of_the_site()

	answers = [browser.get(link_in(smtp.messages[0])), browser.post(link_in(smtp.messages[0]), form)]

	assert [answer.status for answer in answers] == [410, 410]
	assert all("no longer possible" in answer.text for answer in answers)
	assert state_of_the_site() == before


def test_token_of_another_purpose_confirms_nothing(asked, web):
	token = tokens.sign(tokens.Purpose.LEAVE, asked.name, token_keys())
	before = state_of_the_site()

	answers = [Browser(web).get(f"/drip/confirm/{token}"), Browser(web).post(f"/drip/confirm/{token}", {})]

	assert [answer.status for answer in answers] == [404, 404]
	assert state_of_the_site() == before


def test_enrollment_that_was_deleted_is_a_link_that_does_not_work(asked, web, smtp):
	frappe.delete_doc("Drip Enrollment", asked.name)
	frappe.db.commit()

	assert Browser(web).get(link_in(smtp.messages[0])).status == 404


def test_page_has_strict_headers(asked, web, smtp):
	page = Browser(web).get(link_in(smtp.messages[0]))

	assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
	assert page.headers["Referrer-Policy"] == "no-referrer"
	assert "default-src 'none'" in page.headers["Content-Security-Policy"]
	assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
