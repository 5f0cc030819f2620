"""What Desk says of enrollments: who waits for a confirmation or the end of a pause, and how far somebody has come."""

import json
from datetime import timedelta

import frappe
import pytest
from playwright.sync_api import expect

from drip_campaigns.enrollment.pause import pause_address
from drip_campaigns.jobs import run_actions
from drip_campaigns.site.clock import utc_now
from tests import factories, verbs
from tests.browser.desk import Desk
from tests.factories import DOMAIN, step
from tests.fakes import Clock


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

	expect(desk.page.locator(".form-message:visible")).to_contain_text("Resumes automatically.")
	expect(desk.page.locator(".drip-line li").first).to_contain_text("For [first name]")
	expect(desk.page.locator(".drip-line li").first).to_contain_text("After the pause")
	expect(desk.page.locator(".custom-actions button:visible", has_text="Resume")).to_have_count(0)


def test_pause_of_a_user_is_ended_by_a_button(desk: Desk, people):
	desk.open(f"drip-enrollment/{people['Cleo']}")

	expect(desk.page.locator(".form-message:visible")).to_contain_text("until it is resumed")
	expect(desk.page.locator(".custom-actions button:visible", has_text="Resume")).to_have_count(1)


def test_line_shows_actions_waits_and_branches_and_a_failed_action_is_tried_again(desk: Desk, site, smtp):
	clock = Clock(utc_now() - timedelta(days=5))
	opened = json.dumps({"tests": [{"kind": "event", "event": "opened", "step": "Welcome"}]})
	campaign = factories.make_active_campaign(
		clock,
		step(0, "Welcome to us", label="Welcome"),
		{"step_type": "Wait Until", "wait_for": "Clicked", "wait_step": "Welcome", "wait_limit_days": 1},
		{"step_type": "Action", "action": "Add Tag", "action_tag": "Warm", "send_after_days": 1},
		step(2, "Thanks", conditions=opened),
		{
			"step_type": "Action",
			"action": "Assign ToDo",
			"send_after_days": 3,
			"assign_to": "Record's Owner",
			"action_text": "Call {{ recipient.full_name }}",
			"wait_for_todo": 1,
		},
		step(9, "Our offer"),
	)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada"), clock)
	for _day in range(5):
		factories.run(clock)
		run_actions.run(clock.now)
		clock.advance(days=1)
	tag = frappe.db.get_value("Drip Action", {"action": "Add Tag"})
	frappe.db.set_value("Drip Action", tag, {"status": "Failed", "outcome": "No right to write Contact."})
	frappe.db.commit()

	desk.open(f"drip-enrollment/{enrollment.name}")
	desk.shoot("enrollment-line")
	stops = desk.page.locator(".drip-line li")
	expect(stops).to_have_count(6)
	for number, text in enumerate(
		(
			"Welcome to us",
			"Not met within",
			"Failed: No right",
			"Not met",
			"waits until it is closed",
			"Our offer",
		)
	):
		expect(stops.nth(number)).to_contain_text(text)
	desk.open("drip-action?status=Failed")
	expect(desk.page.locator(".list-row .indicator-pill.red:visible").first).to_have_text("Failed")
	desk.shoot("actions-list")
	desk.open(f"drip-action/{tag}")
	desk.shoot("action-failed")
	desk.press("Try Again")

	frappe.db.rollback()
	assert frappe.db.get_value("Drip Action", tag, "status") in ("Waiting", "Done")
	assert desk.errors == []
