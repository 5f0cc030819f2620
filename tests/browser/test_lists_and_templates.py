"""The gallery of templates and a Target List in Desk: seen, and used."""

import frappe
from playwright.sync_api import expect

from drip_campaigns.enrollment.list_membership import unsubscribe_from_list
from drip_campaigns.jobs import first_refresh
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.browser.desk import Desk
from tests.factories import DOMAIN
from tests.fakes import Clock


def test_gallery_shows_each_template_and_makes_a_draft_of_one(desk: Desk):
	desk.open("drip-campaign")
	desk.page.locator("button:visible", has_text="New from Template").first.click()
	cards = desk.page.locator(".drip-campaign-template")
	expect(cards).to_have_count(7)
	desk.page.wait_for_timeout(1500)
	desk.shoot("template-gallery")

	cards.filter(has_text="Trial Onboarding").click()
	expect(desk.page.locator(".drip-detail .drip-steps button")).to_have_count(5)
	desk.page.locator(".drip-detail .drip-steps button").nth(4).click()
	desk.settle()
	desk.shoot("template-detail")
	desk.page.locator(".modal.show .btn-modal-primary:visible").last.click()
	desk.page.wait_for_timeout(500)
	desk.page.locator(".modal.show [data-fieldname='campaign_name'] input:visible").fill("Drip Test Trial")
	desk.page.locator(".modal.show .btn-modal-primary:visible").last.click()
	desk.page.wait_for_function("() => window.cur_frm && cur_frm.doc.name === 'Drip Test Trial'")
	desk.settle()
	desk.shoot("template-draft")

	frappe.db.rollback()
	campaign = frappe.get_doc("Drip Campaign", "Drip Test Trial")
	assert (campaign.status, len(campaign.steps)) == ("Draft", 5)
	assert desk.errors == []


def test_target_list_says_who_is_on_it_and_refreshes(desk: Desk):
	for number in range(12):
		factories.make_contact(status="Open" if number < 9 else "Passive")
	filters = [["Contact", "email_id", "like", f"%@{DOMAIN}"], ["Contact", "status", "=", "Open"]]
	target_list = factories.make_list("Open Contacts", sources=[factories.source(filters=filters)])
	factories.refresh(target_list)
	member = frappe.get_last_doc("Drip Target List Member")
	unsubscribe_from_list(target_list.name, member.email_address, utc_now())
	factories.make_campaign(target_lists=[{"target_list": target_list.name}], name="Drip Test Nurture")
	frappe.db.commit()

	desk.open(f"drip-target-list/{target_list.name}")
	expect(desk.page.locator("[data-fieldname='state_area']:visible")).to_contain_text("On the list")
	expect(desk.page.locator("[data-fieldname='state_area']:visible")).to_contain_text("9 joined")
	desk.shoot("target-list")
	desk.page.locator(".custom-actions button:visible", has_text="Refresh").first.click()
	expect(desk.page.locator("[data-fieldname='state_area']:visible")).to_contain_text(
		"You can close this page"
	)
	desk.shoot("target-list-refreshing")
	desk.open_row(1, "sources")
	desk.shoot("target-list-source")

	assert desk.errors == []


def test_ticked_contacts_join_a_list_and_its_first_refresh_asks_before_it_enrolls(desk: Desk, monkeypatch):
	monkeypatch.setattr(first_refresh, "ASK_FROM", 3)
	for name in ("Ada", "Bob", "Cem", "Eve"):
		factories.make_contact(name, f"{name.lower()}@{DOMAIN}", status="Open")
	target_list = factories.make_list("Open Contacts", sources=[factories.source()])
	by_hand = factories.make_list("By Hand")
	lists = [{"target_list": target_list.name}, {"target_list": by_hand.name}]
	campaign = factories.make_active_campaign(Clock(utc_now()), target_lists=lists, name="Drip Test Nurture")
	factories.refresh(target_list)

	desk.open(f"contact?email_id=%5B%22like%22%2C%22%25{DOMAIN}%22%5D")
	for box in desk.page.locator(".list-row-checkbox:visible").all():
		box.check()
	desk.page.locator(".actions-btn-group button:visible").first.click()
	desk.page.locator(".actions-btn-group .dropdown-item:visible", has_text="Add to Target List").click()
	field = desk.page.locator(".modal.show [data-fieldname='target_list'] input:visible")
	field.click()
	field.fill(by_hand.name)
	desk.page.locator(".awesomplete [role='option']:visible", has_text=by_hand.name).first.click()
	expect(desk.page.locator(".modal.show")).to_contain_text("New members are enrolled in")
	desk.shoot("list-dialog")
	desk.page.locator(".modal.show .btn-modal-primary:visible").click()
	expect(desk.page.locator(".desk-alert").first).to_contain_text("added to By Hand")
	desk.shoot("list-added")
	desk.open(f"drip-target-list/{target_list.name}")
	expect(desk.page.locator("[data-fieldname='state_area']:visible")).to_contain_text(
		"people joined with the first refresh"
	)
	desk.shoot("first-refresh-asks")
	desk.page.locator("[data-fieldname='state_area'] button", has_text="Enroll Now").click()
	expect(desk.page.locator("[data-fieldname='state_area'] .alert")).to_have_count(0)

	frappe.db.rollback()
	run = frappe.get_last_doc("Drip Target List Refresh")
	joined = by_hand.reload().member_count
	assert (run.awaiting_decision, joined >= 4) == (0, True)
	first_refresh.fire_job(run.name)
	assert factories.count("Drip Trigger Firing", campaign=campaign.name) == joined + run.joined
	assert desk.errors == []


def test_campaign_shows_its_lists_and_exclusions(desk: Desk):
	lists = [factories.make_list(name) for name in ("Open Contacts", "Customers")]
	campaign = factories.make_campaign(
		target_lists=[{"target_list": lists[0].name}],
		exclusions=[
			{"kind": "Target List", "target_list": lists[1].name},
			{"kind": "Mail Domain", "value": "competitor.example"},
		],
	)
	frappe.db.commit()

	desk.open(f"drip-campaign/{campaign.name}")
	grid = desk.page.locator(".frappe-control[data-fieldname='exclusions']")
	grid.scroll_into_view_if_needed()
	desk.settle()
	expect(grid).to_contain_text("competitor.example")
	desk.shoot("campaign-lists")

	assert desk.errors == []
