"""Text with markup in Desk: dialogs, labels of options, messages, and notes show it, and run nothing."""

import frappe
from playwright.sync_api import expect

from tests import factories
from tests.factories import step

PAYLOAD = "<img src=x onerror=window.hacked=1>"


def test_markup_in_texts_runs_nothing_in_desk(site, clock, desk):
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	enrollment = factories.enroll(campaign, factories.make_contact("Ada"), clock)
	# As a bulk write, an old version, or another app may have left it, without Frappe's sanitizing
	for number, row in enumerate(campaign.steps):
		# A field that the record does not have: the preview refuses it with a message that names it.
		subject = PAYLOAD if number else '{{ doc["' + PAYLOAD + '"] }}'
		frappe.db.set_value("Drip Campaign Step", row.name, "subject", subject)
	broken = {"status": "Paused", "pause_reason": PAYLOAD}
	frappe.db.set_value("Drip Campaign", campaign.name, broken)
	failed = {
		"status": "In Progress",
		"last_error": PAYLOAD,
		"recipient_name": PAYLOAD,
		"next_step_subject": PAYLOAD,
	}
	frappe.db.set_value("Drip Enrollment", enrollment.name, failed)
	frappe.db.commit()

	desk.open(f"drip-campaign/{campaign.name}")
	expect(desk.page.locator(".form-message", has_text=PAYLOAD).first).to_be_visible()
	desk.page.get_by_role("button", name="Send Test").first.click()
	desk.settle()
	expect(desk.page.locator(".modal:visible option", has_text=PAYLOAD).first).to_be_attached()
	desk.shoot("hostile-campaign")

	desk.open(f"drip-enrollment/{enrollment.name}")
	expect(desk.page.locator(".form-message", has_text=PAYLOAD).first).to_be_visible()
	desk.page.get_by_role("button", name="Move", exact=True).first.click()
	desk.settle()
	expect(desk.page.locator(".modal:visible .modal-title", has_text=PAYLOAD).first).to_be_visible()
	desk.shoot("hostile-enrollment")

	assert desk.page.evaluate("window.hacked") is None
