"""What Desk says of enrollments that wait: for a confirmation, or for the end of a pause."""

from datetime import timedelta

import frappe
import pytest
from playwright.sync_api import expect

from drip_campaigns.enrollment import enroll as verbs
from drip_campaigns.enrollment.pauses import pause_address
from drip_campaigns.site_clock import utc_now
from tests import factories
from tests.browser.desk import Desk
from tests.factories import DOMAIN


@pytest.fixture
def people(clock, smtp) -> dict[str, str]:
	"""Ada awaits confirmation, Bob has asked for a pause, Cleo was paused by a user: the names of their enrollments."""
	clock.now = utc_now()
	campaign = factories.make_active_campaign(clock, factories.step(2, "For {{ recipient.first_name }}"))
	contacts = {
		name: factories.make_contact(name, f"{name.lower()}@{DOMAIN}") for name in ("Ada", "Bob", "Cleo")
	}
	enrollments = {
		name: factories.enroll(campaign, contact, clock, require_confirmation=name == "Ada")
		for name, contact in contacts.items()
	}
	pause_address(f"bob@{DOMAIN}", clock.now + timedelta(days=30), clock.now)
	verbs.pause(enrollments["Cleo"], clock.now)
	frappe.db.commit()
	return {name: enrollment.name for name, enrollment in enrollments.items()}


def test_list_and_form_say_who_awaits_confirmation(desk: Desk, people):
	desk.open("drip-enrollment")
	desk.shoot("enrollments")

	row = desk.page.locator(".list-row", has_text="ada@")
	expect(row.locator(".indicator-pill").first).to_have_text("Awaiting Confirmation")
	desk.open(f"drip-enrollment/{people['Ada']}")
	desk.expect_status("Awaiting Confirmation")
	expect(desk.page.locator(".form-message:visible")).to_contain_text("Awaiting confirmation.")
	assert desk.errors == []


def test_pause_of_the_recipient_says_that_it_ends_by_itself(desk: Desk, people):
	desk.open(f"drip-enrollment/{people['Bob']}")
	desk.shoot("enrollment-paused-by-recipient")

	expect(desk.page.locator(".form-message:visible")).to_contain_text("It goes on by itself then.")
	expect(desk.page.locator(".drip-line li").first).to_contain_text("For [first name]")
	expect(desk.page.locator(".drip-line li").first).to_contain_text("After the pause")
	expect(desk.page.locator(".custom-actions button:visible", has_text="Resume")).to_have_count(0)


def test_pause_of_a_user_is_ended_by_a_button(desk: Desk, people):
	desk.open(f"drip-enrollment/{people['Cleo']}")

	expect(desk.page.locator(".form-message:visible")).to_contain_text("until it is resumed")
	expect(desk.page.locator(".custom-actions button:visible", has_text="Resume")).to_have_count(1)
