"""The flow in Desk: steps that read like sentences, branches as a picture, and conditions set in a dialog."""

import json

import frappe
from playwright.sync_api import expect

from tests import factories
from tests.browser.desk import ROW, Desk
from tests.factories import step

GRID = ".frappe-control[data-fieldname='steps']"


def set_conditions(desk: Desk) -> None:
	"""In the dialog: any email was opened, and the recipient is on the list Garden friends, which is picked."""
	dialog = desk.page.locator(".modal.show")
	events = dialog.locator(".frappe-control[data-fieldname='event']").first
	events.locator(".grid-add-row").click()
	events.locator(".grid-row[data-idx='1'] select").select_option("opened")
	desk.settle()
	dialog.locator(".section-head:visible", has_text="More").click()
	members = dialog.locator(".frappe-control[data-fieldname='member']").first
	members.locator(".grid-add-row").click()
	row = members.locator(".grid-row[data-idx='1']")
	row.locator("select[data-fieldname='kind']").select_option("list")
	row.locator("[data-fieldname='name_of_it']").first.click()
	row.locator("input[data-fieldname='name_of_it']").fill("Garden")
	offered = row.locator(".awesomplete li:visible, .awesomplete [role='option']:visible")
	offered.filter(has_text="Garden friends").first.click()
	linked = dialog.locator(".frappe-control[data-fieldname='linked']").first
	linked.locator(".grid-add-row").click()
	desk.settle()
	desk.shoot("flow-conditions")


def test_flow_reads_like_a_list_and_conditions_are_set_in_a_dialog(desk: Desk):
	opened = json.dumps({"tests": [{"kind": "event", "event": "opened", "step": "Welcome"}]})
	campaign = factories.make_campaign(
		step(0, subject="Welcome to us", label="Welcome"),
		step(
			0, step_type="Wait Until", wait_for="Clicked", wait_step="Welcome", wait_limit_days=3, message=""
		),
		step(
			4,
			subject="Thanks",
			conditions=opened,
			otherwise="Go To Step",
			otherwise_step="Reminder",
			next_step="Offer",
		),
		step(4, subject="Did you see it?", label="Reminder"),
		step(9, subject="Our offer", label="Offer"),
		tracking_mode="Individual",
	)
	factories.make_list("Garden friends")
	frappe.db.commit()

	desk.open(f"drip-campaign/{campaign.name}")
	desk.page.locator(GRID).scroll_into_view_if_needed()
	desk.settle()
	desk.shoot("flow-form")
	line = desk.page.locator(".drip-line").first
	expect(line).to_contain_text("If Welcome was opened, else go to Reminder; Then go to Offer")
	expect(desk.page.locator(GRID)).to_contain_text("Wait until a link in Welcome was clicked")
	expect(line.locator("svg path.else")).to_have_count(1)
	expect(line.locator("svg path.then")).to_have_count(1)

	desk.open_row(5)
	button = desk.page.locator(f"{ROW} [data-fieldname='set_conditions'] button")
	button.scroll_into_view_if_needed()
	desk.shoot("flow-step")
	button.click()
	desk.settle()
	set_conditions(desk)
	desk.page.locator(".modal.show .btn-modal-primary:visible").click()
	desk.settle()
	expect(desk.page.locator(f"{ROW} [data-fieldname='condition_area']").first).to_contain_text(
		"an email was opened"
	)
	desk.close_row()
	desk.save()
	desk.shoot("flow-saved")

	frappe.db.rollback()
	stored = json.loads(campaign.reload().steps[4].conditions)
	assert stored["tests"][0]["event"] == "opened"
	assert stored["tests"][1] == {"kind": "list", "list": "Garden friends"}
	assert not desk.errors
