"""Triggers in Desk: rows that read like sentences, filters of a row, and who is taken in at activation."""

import json

import frappe
from frappe.desk.doctype.tag.tag import add_tag
from playwright.sync_api import expect

from tests import factories
from tests.browser.desk import ROW, Desk

GRID = ".frappe-control[data-fieldname='triggers']"


def test_triggers_read_like_sentences_and_activating_asks_about_people_of_earlier(desk: Desk):
	hot = [factories.make_contact() for _ in range(3)]
	for contact in hot:
		add_tag("Hot", "Contact", contact.name)
	filters = json.dumps([["Contact", "designation", "=", "Chief"]])
	campaign = factories.make_campaign(
		triggers=[
			{"kind": "Tag Added", "recipient_type": "Contact", "tag": "Hot", "delay_days": 1},
			{"kind": "Record Created", "recipient_type": "Contact", "filters": filters},
			{
				"kind": "Date Reached",
				"recipient_type": "User",
				"field_name": "birth_date",
				"repeat": "Each Year",
			},
		]
	)
	frappe.db.commit()

	desk.open(f"drip-campaign/{campaign.name}")
	desk.page.locator(GRID).scroll_into_view_if_needed()
	desk.settle()
	desk.shoot("triggers-rows")
	for sentence in (
		"When a Contact gets the tag Hot, 1 day later",
		"When a Contact is created, if it matches the filters",
		"On Birth Date of a User, each year",
	):
		expect(desk.page.locator(GRID)).to_contain_text(sentence)

	desk.open_row(2, "triggers")
	expect(desk.page.locator(f"{ROW} [data-fieldname='filter_area']").first).to_contain_text(
		"Designation = Chief"
	)
	desk.page.locator(f"{ROW} [data-fieldname='edit_filters'] button").click()
	desk.settle()
	desk.shoot("triggers-filters")
	desk.page.locator(".modal.show .clear-filters:visible").click()
	desk.page.locator(".modal.show .btn-modal-primary:visible").click()
	desk.settle()
	expect(desk.page.locator(f"{ROW} [data-fieldname='filter_area']").first).to_contain_text("All records")
	desk.close_row()
	desk.save()

	desk.page.locator(".custom-actions button:visible", has_text="Activate").first.click()
	audience = desk.page.locator(
		".modal.show .checkbox", has_text="the tag Hot, 1 day later: 3 of 3 Contact records"
	)
	audience.locator("input:visible").first.check()
	desk.shoot("triggers-activate")
	desk.page.locator(".modal.show .btn-modal-primary:visible").click()
	desk.expect_status("Active")
	desk.settle()

	frappe.db.rollback()
	[run] = frappe.get_all("Drip Bulk Enrollment", fields=["campaign", "total", "status"])
	assert (run.campaign, run.total) == (campaign.name, 3)
	assert not desk.errors
