"""What a user does with those on board: editing a running campaign, holding a step, moving people."""

import frappe
import pytest
from playwright.sync_api import expect

from drip_campaigns.site_clock import utc_now
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
		"Step “Something new”: 3 will get it, 0 are past it and will not."
	)
	desk.shoot("edit-dialog")
	dialog.locator(".btn-modal-secondary:visible").click()
	desk.settle()
	assert len(running.reload().steps) == 3

	desk.page.keyboard.press("Control+s")
	desk.page.locator(".modal.show .btn-modal-primary:visible").last.click()
	desk.page.wait_for_function("() => cur_frm && !cur_frm.is_dirty()")

	frappe.db.rollback()  # what the web server has written since
	assert len(running.reload().steps) == 4
	assert not desk.errors
