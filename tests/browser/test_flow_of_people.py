"""Changes to a running campaign: editing it, pausing a step, moving people."""

import frappe
import pytest
from playwright.sync_api import expect

from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.browser.desk import Desk
from tests.factories import step
from tests.fakes import Clock


@pytest.fixture
def running(site, smtp):
	"""An active campaign with three people, who have been sent the first of three steps."""
	clock = Clock(utc_now())
	campaign = factories.make_active_campaign(
		clock, step(0, "Welcome"), step(3, "A tip"), step(7, "An offer"), name="Garden year"
	)
	for first_name in ("Ada", "Grace", "Mary"):
		factories.enroll(campaign, factories.make_contact(first_name), clock)
	factories.run(clock)
	return campaign.reload()


def test_edit_of_a_running_campaign_says_what_it_does_and_can_be_called_off(desk: Desk, running):
	desk.open(f"drip-campaign/{running.name}")
	desk.add_step(4, 2, "Something new", "Hello again")

	desk.page.keyboard.press("Control+s")
	dialog = desk.page.locator(".modal.show").last
	expect(dialog.locator(".drip-edit li").first).to_have_text(
		"Step “Something new”: 3 will get it. 0 are already past it and won't."
	)
	desk.shoot("edit-dialog")
	dialog.locator(".btn-modal-secondary:visible").click()
	expect(desk.page.locator(".modal.show")).to_have_count(0)
	desk.settle()
	assert len(running.reload().steps) == 3

	desk.page.keyboard.press("Control+s")
	desk.page.locator(".modal.show .btn-modal-primary:visible").last.click()
	desk.page.wait_for_function("() => cur_frm && !cur_frm.is_dirty()")

	frappe.db.rollback()  # what the web server has written since
	assert len(running.reload().steps) == 4
	assert not desk.errors


def test_step_is_paused_and_people_are_moved_from_its_row(desk: Desk, running):
	desk.open(f"drip-campaign/{running.name}")
	desk.open_row(2)
	desk.shoot("step-row")
	desk.page.locator(".grid-row-open button:visible", has_text="Pause Step").click()
	desk.settle()
	desk.shoot("pause-step")
	desk.page.locator(".modal.show .btn-modal-primary:visible").last.click()
	desk.page.wait_for_function(
		"() => cur_frm.doc.steps[1].is_paused"
	)  # the form is loaded anew, and closes the row
	desk.settle()
	desk.open_row(2)
	desk.page.locator(".grid-row-open button:visible", has_text="People at This Step").click()
	desk.settle()
	desk.shoot("people-at-step")
	desk.page.locator(".modal.show .btn-modal-primary:visible").last.click()
	desk.settle()

	frappe.db.rollback()
	assert frappe.db.get_value("Drip Campaign Step", running.steps[1].name, "is_paused") == 1
	subjects = frappe.get_all("Drip Enrollment", {"campaign": running.name}, pluck="next_step_subject")
	assert subjects == ["An offer"] * 3
	assert not desk.errors


def test_person_is_moved_and_a_campaign_is_closed(desk: Desk, running):
	name = frappe.get_all("Drip Enrollment", {"campaign": running.name}, pluck="name")[0]
	desk.open(f"drip-enrollment/{name}")
	desk.press("Move")
	desk.shoot("person-moved")
	desk.open(f"drip-campaign/{running.name}")
	desk.page.locator(".custom-actions button:visible").get_by_text("End", exact=True).first.click()
	desk.settle()
	desk.shoot("end-campaign")
	desk.page.locator(".modal.show .btn-modal-primary:visible").click()
	desk.settle()
	expect(desk.page.get_by_text("Closed to new recipients").first).to_be_visible()
	desk.shoot("campaign-closed")

	frappe.db.rollback()
	assert frappe.db.get_value("Drip Enrollment", name, "next_step_subject") == "An offer"
	assert running.reload().closed_at and running.status == "Active"
	assert not desk.errors


def test_variants_are_shown_with_their_rates(desk: Desk, site, smtp):
	clock = Clock(utc_now())
	own = step(0, "Save 10 % today", label="Offer", control_weight=1, winner_by="Opens", winner_sample=500)
	other = {
		"step_label": "Offer",
		"subject": "A gift for your garden",
		"message": "<p>Hello</p>",
		"weight": 2,
	}
	campaign = factories.make_active_campaign(
		clock, own, name="Garden year", variants=[other], tracking_mode="Individual"
	)
	for _ in range(30):
		factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	names = frappe.get_all("Drip Email", {"variant": "B"}, pluck="name")[:6]
	frappe.db.set_value("Drip Email", {"name": ("in", names)}, "human_opens", 1)
	frappe.db.commit()

	desk.open(f"drip-campaign/{campaign.name}")
	table = desk.page.locator(".drip-variants")
	desk.page.locator(".section-head:visible", has_text="A/B Variants").first.scroll_into_view_if_needed()
	if not table.is_visible():
		desk.page.locator(".section-head:visible", has_text="A/B Variants").first.click()
	expect(table.locator("tbody tr")).to_have_count(2)
	table.scroll_into_view_if_needed()
	desk.shoot("variants")
	table.locator("button", has_text="Choose").last.click()
	desk.page.locator(".modal.show .btn-modal-primary:visible").click()
	desk.settle()

	frappe.db.rollback()
	assert frappe.db.get_value("Drip Variant Result", campaign.steps[0].name, "variant") == "B"
	assert not desk.errors
