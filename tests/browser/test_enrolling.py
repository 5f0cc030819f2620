"""Adding people to a campaign as a user does it: from a list, from the campaign, from a file, and why not."""

import json

import frappe
import pytest
from playwright.sync_api import expect

from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.people.opt_outs import record_opt_out
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.browser.desk import Desk
from tests.factories import DOMAIN
from tests.fakes import Clock

PEOPLE = ("Ada Lovelace", "Grace Hopper", "Mary Jackson", "Joan Clarke", "Radia Perlman", "Karen Jones")


@pytest.fixture
def garden(site):
	"""An active campaign, and Contacts of whom some cannot be enrolled."""
	campaign = factories.make_active_campaign(Clock(utc_now()), name="Welcome to the garden")
	for name in PEOPLE:
		first, last = name.split()
		factories.make_contact(first, f"{first.lower()}@{DOMAIN}", last_name=last)
	factories.make_contact("Twin", f"ada@{DOMAIN}")
	factories.make_contact("Left", f"left@{DOMAIN}", last_name="Already")
	factories.make_contact("Flagged", f"flagged@{DOMAIN}", unsubscribed=1)
	record_opt_out(campaign.name, f"left@{DOMAIN}")
	frappe.db.commit()
	return campaign


def dialog(desk: Desk):
	return desk.page.locator(".modal.show").last


def choose_campaign(desk: Desk, campaign) -> None:
	field = dialog(desk).locator("[data-fieldname='campaign'] input:visible").first
	field.click()
	field.fill(campaign.name)
	desk.page.locator(".awesomplete [role='option']:visible", has_text=campaign.name).first.click()
	desk.settle()


def test_ticked_contacts_are_added_with_the_numbers_first(desk: Desk, garden):
	desk.open(f"contact?email_id=%5B%22like%22%2C%22%25{DOMAIN}%22%5D")
	desk.page.locator(".list-row-container").first.wait_for()
	for box in desk.page.locator(".list-row-checkbox:visible").all():
		box.check()
	desk.page.locator(".actions-btn-group button:visible").first.click()
	desk.page.locator(".actions-btn-group .dropdown-item:visible", has_text="Add to Campaign").click()
	desk.settle()
	choose_campaign(desk, garden)
	expect(dialog(desk).locator(".figure.good b")).to_have_text("6")
	desk.shoot("enroll-dialog")

	dialog(desk).locator(".btn-modal-primary:visible").click()
	expect(dialog(desk).locator("text=Done.")).to_be_visible()
	desk.settle()
	desk.shoot("enroll-done")

	assert factories.count("Drip Enrollment", campaign=garden.name) == 6
	assert desk.errors == []


def test_campaign_enrolls_by_filters_and_the_progress_is_seen(desk: Desk, garden):
	for _ in range(260):
		factories.make_contact()
	frappe.db.commit()
	desk.open(f"drip-campaign/{garden.name}")
	desk.page.locator(".custom-actions button:visible", has_text="Enroll").first.click()
	expect(dialog(desk).locator(".figure.good b")).to_be_visible()
	desk.shoot("enroll-from-campaign")
	everybody = dialog(desk).locator(".confirm-everybody")
	if everybody.count():
		expect(dialog(desk).locator(".btn-modal-primary:visible")).to_be_disabled()
		everybody.check()
	dialog(desk).locator(".btn-modal-primary:visible").click()
	expect(dialog(desk).locator("text=Waiting for a background worker.")).to_be_visible()
	desk.shoot("progress-1-waiting")

	frappe.db.rollback()
	run = frappe.get_last_doc("Drip Bulk Enrollment").name
	with pytest.MonkeyPatch.context() as patch:
		patch.setattr(bulk_enrollment, "BATCH_SIZE", 100)
		patch.setattr(bulk_enrollment, "_show_progress", lambda document: see(desk, document))
		bulk_enrollment.run(run)
	expect(dialog(desk).locator("text=Done.")).to_be_visible()
	desk.shoot("progress-3-done")
	desk.open(f"drip-bulk-enrollment/{run}")
	desk.shoot("bulk-enrollment-done")

	assert desk.errors == []


def see(desk: Desk, document) -> None:
	"""Look at the dialog in the middle of the run."""
	frappe.db.commit()
	if document.processed == 200:
		expect(dialog(desk).locator("text=Running in the background.")).to_be_visible()
		expect(dialog(desk).locator("text=200 /")).to_be_visible()
		desk.shoot("progress-2-going-on")


def test_file_is_enrolled_after_a_dry_run(desk: Desk, garden):
	lines = [
		"Email;First Name;Surname",
		f"ada@{DOMAIN};Ada;Lovelace",
		f"new@{DOMAIN};New;Comer",
		"oops;Bad;Row",
	]
	file = frappe.get_doc(
		doctype="File", file_name="drip people.csv", is_private=1, content="\n".join(lines)
	).insert()
	file.db_set("owner", f"manager@{DOMAIN}")
	frappe.db.commit()
	try:
		desk.open(f"drip-campaign/{garden.name}")
		desk.page.evaluate("name => drip_campaigns.enroll_file({ campaign: name })", garden.name)
		desk.page.wait_for_function("() => window.cur_dialog?.fields_dict?.file_url")
		desk.page.evaluate("url => cur_dialog.set_value('file_url', url)", file.file_url)
		desk.settle()
		dialog(desk).locator("input[data-fieldname='create_missing']").check()
		desk.settle()
		expect(dialog(desk).locator(".figure.good b")).to_have_text("2")
		desk.shoot("enroll-file")
		dialog(desk).locator(".btn-modal-primary:visible").click()
		expect(dialog(desk).locator("text=Done.")).to_be_visible()
		desk.shoot("enroll-file-done")
	finally:
		frappe.db.rollback()
		frappe.delete_doc("File", file.name, force=True)
		frappe.db.commit()

	run = frappe.get_last_doc("Drip Bulk Enrollment")
	assert (run.enrolled, json.loads(run.row_errors)) == (2, [[4, "“oops” is not a valid email address"]])
	desk.open(f"drip-bulk-enrollment/{run.name}")
	desk.shoot("bulk-enrollment-file")
	assert desk.errors == []


def test_why_not_is_answered_on_the_form_of_a_contact(desk: Desk, garden):
	name = frappe.db.get_value("Contact", {"email_id": f"flagged@{DOMAIN}"})
	filters = json.dumps([["Contact", "status", "=", "Replied"]])
	garden.append("triggers", {"kind": "Record Created", "recipient_type": "Contact", "filters": filters})
	garden.append("triggers", {"kind": "Record Created", "recipient_type": "Contact"})
	garden.save()
	frappe.db.commit()
	desk.open(f"contact/{name}")
	desk.shoot("contact-form")
	desk.page.evaluate(
		"name => drip_campaigns.ask_why_not({ recipient_type: 'Contact', recipient: name })", name
	)
	dialog(desk).wait_for()
	choose_campaign(desk, garden)
	expect(dialog(desk).locator("[data-fieldname='answer'] > .drip-checks .no")).to_have_count(1)
	expect(dialog(desk).locator(".drip-trigger")).to_have_count(2)
	expect(dialog(desk).locator(".drip-trigger").first).to_contain_text("It is Passive.")
	dialog(desk).locator(".drip-trigger").first.scroll_into_view_if_needed()
	desk.shoot("why-not")

	assert desk.errors == []


def test_form_of_a_bulk_enrollment_asks_before_it_takes_everybody(desk: Desk, garden):
	for _ in range(120):
		factories.make_contact()
	frappe.db.commit()
	desk.open("drip-bulk-enrollment/new")
	desk.choose("campaign", garden.name)
	desk.choose("recipient_type", "Contact")
	desk.page.keyboard.press("Control+s")
	expect(dialog(desk).locator("text=No filter set")).to_be_visible()
	desk.shoot("everybody")
	dialog(desk).locator(".btn-modal-primary:visible").click()
	desk.page.wait_for_function("() => cur_frm && !cur_frm.is_new()")

	frappe.db.rollback()
	run = frappe.get_last_doc("Drip Bulk Enrollment")
	assert run.confirmed_count == run.total == factories.count("Contact")
	assert desk.errors == []
