"""What a salesperson sees of somebody whose address bounced."""

from playwright.sync_api import expect

from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.browser.desk import Desk
from tests.factories import DOMAIN, EMAIL_ACCOUNT, step


def test_form_of_a_bounced_contact_says_so_and_leads_to_the_suppression(desk: Desk, smtp):
	clock = factories.Clock(utc_now())
	campaign = factories.make_active_campaign(clock, step(0, "Welcome"), step(3), name="Drip Test Welcome")
	ada = factories.make_contact("Ada", f"ada@{DOMAIN}", last_name="Lovelace")
	smtp.answer(ada.email_id, "550 5.1.1 <ada>: no such user here")
	factories.enroll(campaign, ada, clock)
	factories.run(clock)

	desk.open(f"contact/{ada.name}")
	said = desk.page.locator(".form-message:visible", has_text="No marketing email")
	expect(said).to_contain_text(f"{ada.email_id} is suppressed, because the address does not exist")
	expect(said).to_contain_text(": no such user here")  # markup of a server is not kept
	desk.shoot("bounced-contact")
	said.get_by_text("Since").click()
	desk.settle()

	expect(desk.page.locator(".page-title, .navbar-breadcrumbs").first).to_contain_text(f"ada@{DOMAIN}")
	desk.shoot("bounced-suppression")
	assert desk.errors == []


def test_account_that_is_held_says_why_and_is_let_go_on_by_a_button(desk: Desk, smtp):
	clock = factories.Clock(utc_now())
	campaign = factories.make_active_campaign(clock, step(0))
	ada = factories.make_contact("Ada", f"ada@{DOMAIN}")
	smtp.answer(ada.email_id, "550 5.7.26 unauthenticated: add our server to your SPF record")
	factories.enroll(campaign, ada, clock)
	factories.run(clock)

	desk.open(f"drip-sending-block/{EMAIL_ACCOUNT}")
	expect(desk.page.locator(".form-message:visible")).to_contain_text("sends no campaign emails")
	desk.shoot("sending-block")
	desk.page.get_by_role("button", name="Resume Sending").click()
	desk.page.locator(".modal.show").get_by_role("button", name="Resume Sending").click()
	expect(desk.page.get_by_text("resumes with the next run")).to_be_visible()

	assert factories.count("Drip Sending Block") == 0
	assert desk.errors == []
