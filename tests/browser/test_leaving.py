"""Leaving as people and their browsers do it: looking changes nothing, the way out and back works without JavaScript."""

import frappe
import pytest
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from drip_campaigns.site.clock import utc_now
from tests import factories, verbs
from tests.integration.test_scanners import fingerprint, links_in, received  # noqa: F401 - a fixture

WORDS = "She called us on Monday."


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with JavaScript", "without"])
def test_a_browser_that_opens_every_link_changes_nothing(browser: Browser, received, has_scripts):  # noqa: F811
	context = browser.new_context(java_script_enabled=has_scripts)
	page, links = context.new_page(), sorted(links_in(received), key=_leads_out)
	page.goto(links[0])  # caches that fill themselves with the first visit are filled
	before = fingerprint()

	statuses = {link: _open(page, link) for link in links}
	context.close()

	assert set(statuses.values()) == {200, 302}
	assert fingerprint() == before


def _leads_out(link: str) -> bool:
	return "/drip/click/" in link


def _open(page: Page, link: str) -> int:
	"""Open a link as somebody does who clicks on it, and return the status of our answer; what lies behind is not ours."""
	answers: dict[str, int] = {}
	page.on("response", lambda response: answers.setdefault(response.url, response.status))
	try:
		page.goto(link, wait_until="networkidle")
	except PlaywrightError:
		if not _leads_out(link):  # where the redirect leads, this machine may not reach
			raise
	return answers[link]


def test_leaving_undoing_and_giving_a_reason_need_no_javascript(browser: Browser, received):  # noqa: F811
	context = browser.new_context(java_script_enabled=False)
	page = context.new_page()
	[link] = {link for link in links_in(received[:1]) if "/leave/" in link}

	page.goto(link)
	page.get_by_role("button", name="Unsubscribe from all marketing emails").click()
	page.get_by_role("button", name="Unsubscribed by mistake? Resubscribe").click()
	undone = page.get_by_role("status").inner_text()
	page.get_by_role("button", name="Unsubscribe from this series").click()
	page.get_by_label("I get too many emails").check()
	page.get_by_label("In your own words").fill("One a month, please.")
	page.get_by_role("button", name="Send").click()
	thanks = page.get_by_text("Thank you for your feedback.").is_visible()
	context.close()

	frappe.db.rollback()
	[status, reason] = frappe.db.get_value(
		"Drip Enrollment", {"email_address": received[0].recipient}, ["status", "unsubscribe_reason"]
	)
	assert undone == "You are subscribed again. Nothing has changed."
	assert thanks
	assert (status, reason) == ("Unsubscribed", "I get too many emails: One a month, please.")


def test_manager_suppresses_an_address_and_lifts_it(desk, clock, smtp):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{factories.DOMAIN}"), clock)

	desk.open("drip-suppression/new")
	desk.fill("email_address", enrollment.email_address)
	desk.fill("note", WORDS)
	desk.save()
	desk.shoot("suppression")
	frappe.db.rollback()
	stopped = enrollment.reload().status
	desk.page.locator(".custom-actions button:visible", has_text="Lift").click()
	desk.page.locator(".modal.show textarea").fill(WORDS)
	desk.page.locator(".modal.show .btn-primary:visible").click()
	desk.settle()
	desk.shoot("suppression-lifted")

	frappe.db.rollback()
	assert stopped == "Exited"
	assert frappe.get_last_doc("Drip Suppression").lifted_reason == WORDS
	assert desk.errors == []


def test_manager_brings_somebody_back_from_the_form(desk, clock, smtp):
	campaign = factories.make_active_campaign(clock, omit_unsubscribe_link=1)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{factories.DOMAIN}"), clock)
	verbs.unsubscribe(enrollment, utc_now())
	frappe.db.commit()

	desk.open(f"drip-enrollment/{enrollment.name}")
	desk.page.locator(".custom-actions button:visible", has_text="Resubscribe").click()
	desk.page.locator(".modal.show textarea").fill(WORDS)
	desk.shoot("bring-back")
	desk.page.locator(".modal.show .btn-primary:visible").click()
	desk.settle()
	desk.open(f"drip-campaign/{campaign.name}")
	desk.shoot("campaign-without-link")

	frappe.db.rollback()
	assert enrollment.reload().status in ("In Progress", "Scheduled", "Completed")
	assert desk.page.get_by_text("These emails have no unsubscribe link").is_visible()
	assert desk.errors == []
