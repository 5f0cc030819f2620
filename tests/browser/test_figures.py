"""What came of a campaign, in Desk: the figures on its form, and the log with its way to a target list."""

import re
from datetime import timedelta

import frappe
import pytest
from playwright.sync_api import expect

from drip_campaigns.core.tracking.visits import Visit, VisitKind
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.site.clock import utc_now
from drip_campaigns.stats import visit_buffer
from tests import factories
from tests.browser.desk import Desk

PEOPLE = 12


@pytest.fixture
def campaign(site, smtp, clock):
	"""Two emails to twelve people: half opened the first, three clicked, scanners came by, one address is not there."""
	text = '<p>Hello <a href="https://shop.example/spring">our shop</a></p>'
	campaign = factories.make_active_campaign(
		clock,
		factories.step(0, "Welcome to the garden", text),
		factories.step(1, "What grows in spring", text),
		tracking_mode="Individual",
	)
	people = [factories.make_contact() for _number in range(PEOPLE)]
	smtp.answer(people[0].email_id, "550 5.1.1 no such user")
	factories.send_tracked(campaign, people, clock)
	_visit(campaign.steps[0].name)
	dispatch_due.count_visits(utc_now() + timedelta(minutes=1))
	dispatch_due.count_events()
	frappe.db.commit()
	return campaign


def _visit(step: str) -> None:
	mails = frappe.get_all("Drip Email", {"step": step, "status": "Sent"}, pluck="name", order_by="name")
	url = frappe.db.get_value("Drip Tracking URL", {"step": step})
	moment = utc_now() - timedelta(hours=2)
	for number, mail in enumerate(mails):
		at = moment + timedelta(minutes=5 * number)
		agent = "Mozilla/5.0 (X11) Firefox/128.0" if number % 2 else "Mozilla/5.0"
		visit_buffer.push(Visit(f"open{number}", VisitKind.OPEN, mail, at, agent=agent))
		if number % 3 == 0:
			later = at + timedelta(minutes=1)
			person = "Mozilla/5.0 (X11) Firefox/128.0" if number else "Barracuda"
			visit_buffer.push(Visit(f"click{number}", VisitKind.CLICK, mail, later, url, agent=person))


def test_form_shows_what_came_of_each_step(desk: Desk, campaign):
	desk.open("drip-campaigns")
	expect(desk.page.locator(".shortcut-widget-box", has_text="New Campaign")).to_be_visible()
	desk.open("drip-campaign")
	row = desk.page.locator(".list-row", has_text=campaign.name)
	expect(row.locator(".drip-list-results")).to_contain_text(f"{2 * (PEOPLE - 1)} sent")
	desk.shoot("campaign-list")

	desk.open(f"drip-campaign/{campaign.name}")
	table = desk.page.locator(".drip-results")
	expect(table.locator("tbody tr")).to_have_count(3)
	expect(table.locator("tbody tr").last).to_contain_text(str(2 * (PEOPLE - 1)))
	table.scroll_into_view_if_needed()
	desk.shoot("campaign-figures")
	assert desk.errors == []


def test_log_is_filtered_and_makes_a_target_list(desk: Desk, campaign):
	desk.open("drip-event")
	desk.shoot("log")
	kinds = desk.page.locator(".list-row .indicator-pill:visible")
	kinds.filter(has_text=re.compile(r"^\s*Clicked\s*$")).first.click()
	expect(kinds.filter(has_not_text="Clicked")).to_have_count(0)
	desk.settle()
	desk.shoot("log-clicks")

	desk.page.get_by_role("button", name="Create Target List").first.click()
	desk.page.locator(".modal.show [data-fieldname='list_name'] input").fill("Drip Test Who Clicked")
	desk.shoot("log-make-list")
	desk.page.locator(".modal.show .btn-modal-primary:visible").click()
	desk.page.wait_for_function("() => window.cur_frm && cur_frm.doc.name === 'Drip Test Who Clicked'")
	desk.settle()
	desk.shoot("log-list-made")

	frappe.db.rollback()
	assert factories.count("Drip Target List Member", target_list="Drip Test Who Clicked") == 3
	assert desk.errors == []
