"""The first campaign of a new user, from login to the recipient's goodbye, with a picture of each stop."""

import re
from datetime import datetime, timedelta, timezone

import frappe
from playwright.sync_api import Browser, expect

from tests import factories
from tests.browser.desk import Desk
from tests.factories import DOMAIN
from tests.fakes import Clock

PHONE = {"width": 390, "height": 780}
ADA = f"ada@{DOMAIN}"


def test_first_campaign_from_login_to_unsubscribe(desk: Desk, smtp, web: str, browser: Browser, screenshots):
	factories.make_contact("Ada", ADA, last_name="Lovelace")
	frappe.db.commit()

	make_campaign(desk)
	enrollment = enroll_ada(desk)
	send_what_is_due()
	see_what_was_sent(desk, enrollment)
	look_at_the_mail(browser, screenshots, smtp)
	leave(browser, screenshots, link_in(smtp))
	see_that_she_left(desk, enrollment)
	look_around(desk)

	assert [received.recipient for received in smtp.messages] == [ADA]
	assert desk.errors == []


def make_campaign(desk: Desk) -> None:
	desk.open("drip-campaign/new")
	desk.shoot("campaign-new")
	desk.fill("campaign_name", "Welcome to the garden")
	desk.add_step(
		1, 0, "Welcome, {{ recipient.first_name }}", "Hello {{ recipient.first_name }}, good to see you."
	)
	desk.add_step(2, 2, "What to sow now", "Three seeds for this week, {{ recipient.first_name }}.")
	desk.save()
	desk.expect_status("Draft")
	expect(desk.page.locator(".drip-line li")).to_have_count(2)
	desk.shoot("campaign-draft")

	desk.press("Activate")
	desk.expect_status("Active")
	desk.shoot("campaign-active")


def enroll_ada(desk: Desk) -> str:
	desk.show_connections()
	desk.shoot("campaign-connections")
	desk.connection("Drip Enrollment").locator(".btn-new").click()
	desk.settle()
	expect(desk.field("campaign")).to_have_value("Welcome to the garden")
	desk.choose("recipient", "Ada")
	desk.shoot("enrollment-new")
	desk.save()
	desk.expect_status("In Progress")
	return desk.route_name()


def send_what_is_due() -> None:
	frappe.db.rollback()  # a new snapshot: what the browser has made was committed by another process
	factories.run(Clock(datetime.now(timezone.utc) + timedelta(seconds=5)))
	frappe.db.commit()


def see_what_was_sent(desk: Desk, enrollment: str) -> None:
	desk.open(f"drip-enrollment/{enrollment}")
	desk.expect_status("In Progress")
	expect(desk.page.locator(".drip-line li.sent")).to_have_count(1)
	desk.show_connections()
	expect(desk.connection("Communication").locator(".count")).to_have_text("1")
	desk.shoot("enrollment-in-progress")

	desk.connection("Communication").locator(".badge-link").click()
	desk.settle()
	expect(desk.page.locator(".list-row").first).to_contain_text("Welcome, Ada")
	desk.shoot("enrollment-communications")


def link_in(smtp) -> str:
	[received] = smtp.to(ADA)
	[header] = re.findall(r"<(http[^>]+)>", received.message["List-Unsubscribe"])
	assert header in received.part("html")
	return header


def look_at_the_mail(browser: Browser, screenshots, smtp) -> None:
	page = browser.new_context(viewport=PHONE).new_page()
	page.set_content(smtp.to(ADA)[0].part("html"))
	expect(page.get_by_text("Hello Ada, good to see you.")).to_be_visible()
	page.screenshot(path=screenshots / "email-phone.png")
	page.set_viewport_size({"width": 900, "height": 600})
	page.screenshot(path=screenshots / "email-desktop.png")
	page.context.close()


def leave(browser: Browser, screenshots, link: str) -> None:
	page = browser.new_context(viewport=PHONE).new_page()
	page.goto(link)
	page.screenshot(path=screenshots / "unsubscribe-phone.png")
	page.set_viewport_size({"width": 1280, "height": 800})
	page.screenshot(path=screenshots / "unsubscribe-desktop.png")
	page.set_viewport_size(PHONE)
	page.get_by_role("button").first.click()
	expect(page.get_by_role("heading")).to_have_text("You are unsubscribed")
	page.screenshot(path=screenshots / "unsubscribed-phone.png")
	page.context.close()


def see_that_she_left(desk: Desk, enrollment: str) -> None:
	desk.open(f"drip-enrollment/{enrollment}")
	desk.expect_status("Unsubscribed")
	desk.shoot("enrollment-unsubscribed")
	frappe.db.rollback()
	assert frappe.db.exists("Email Unsubscribe", {"email": ADA, "reference_doctype": "Drip Campaign"})


def look_around(desk: Desk) -> None:
	for name, path in (
		("workspace", "drip-campaigns"),
		("campaign-with-counts", "drip-campaign/Welcome to the garden"),
		("campaign-list", "drip-campaign"),
		("enrollment-list", "drip-enrollment"),
		("email-list", "drip-email"),
		("event-list", "drip-event"),
		("settings", "drip-settings"),
	):
		desk.open(path)
		if name == "workspace":
			expect(desk.page.locator(".number-widget-box .number")).to_have_count(4)  # they come late
			desk.page.wait_for_timeout(1500)  # and the chart grows slowly
		desk.shoot(name)
	desk.page.goto("/apps")
	desk.page.wait_for_timeout(1500)
	desk.shoot("apps")
