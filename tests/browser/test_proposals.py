"""A Drip User edits a live campaign; a Drip Manager reviews the change side by side, and releases it."""

from collections.abc import Callable, Iterator

import frappe
import pytest
from playwright.sync_api import Browser, expect

from drip_campaigns.api import desk as api
from drip_campaigns.campaign.proposals import DOCTYPE
from tests import factories
from tests.browser.conftest import PASSWORD
from tests.browser.desk import Desk

WINDOW = {"width": 1280, "height": 900}
DARK = """() => {
	document.documentElement.setAttribute("data-theme", "dark");
	document.documentElement.setAttribute("data-theme-mode", "dark");
}"""
LIGHT = DARK.replace("dark", "light")
OLD_TEXT = '<p>Hello, here is a tip for your first week. <a href="https://tips.example/one">Read it</a></p>'
NEW_TEXT = '<p>Hi, here is a tip for your first two weeks. <a href="https://tips.example/two">Read it</a></p>'

CLIENT_TEMPLATE = "For new customers {{ window.canary = 2 }} {% window.canary = 3 %}"


@pytest.fixture
def people(site) -> dict[str, str]:
	"""A Drip User and a Drip Manager, neither a System Manager."""
	return {
		"user": factories.make_user("paula", "Drip User", "Sales User"),
		"manager": factories.make_user("max", "Drip Manager", "Sales User"),
	}


@pytest.fixture
def sign_in(people, web: str, browser: Browser, screenshots) -> Iterator[Callable[[str], Desk]]:
	"""Sign in as one of the people, in a window of one's own."""
	from frappe.utils.password import update_password

	contexts = []

	def sign_in(name: str) -> Desk:
		update_password(people[name], PASSWORD)
		frappe.db.commit()
		contexts.append(browser.new_context(viewport=WINDOW, base_url=web))
		desk = Desk(contexts[-1].new_page(), screenshots)
		desk.log_in(people[name], PASSWORD)
		return desk

	yield sign_in
	for context in contexts:
		context.pages[0].goto("about:blank")
		context.close()


@pytest.fixture
def campaign(people, clock):
	"""A live campaign of the Drip User with three people in it."""
	frappe.set_user(people["user"])
	campaign = factories.make_campaign(
		factories.step(0, "Welcome to the tour"),
		factories.step(2, "A tip for the first week", OLD_TEXT),
		name="Drip Test Onboarding",
	)
	frappe.set_user(people["manager"])
	api.activate_campaign(campaign.name)
	frappe.set_user("Administrator")
	for _ in range(3):
		factories.enroll(campaign, factories.make_contact(), clock)
	return campaign.reload()


def shoot(desk: Desk, name: str) -> None:
	"""Keep a picture in both themes."""
	for theme, script in (("light", LIGHT), ("dark", DARK)):
		desk.page.evaluate(script)
		desk.page.wait_for_timeout(300)
		desk.shoot(f"{name}-{theme}")
	desk.page.evaluate(LIGHT)


def edit_and_save(desk: Desk, subject: str, description: str = "For new customers") -> None:
	"""Change the second step's subject and text in the form, add a step, and propose it in the dialog."""
	desk.page.evaluate(
		"""async ([subject, message, description]) => {
			const step = cur_frm.doc.steps[1];
			await frappe.model.set_value(step.doctype, step.name, { subject, message });
			await cur_frm.set_value("description", description);
			const added = cur_frm.add_child("steps", { send_after_days: 5, subject: "How is it going?", message: "<p>Tell us.</p>" });
			cur_frm.refresh_field("steps");
		}""",
		[subject, NEW_TEXT, description],
	)
	desk.page.keyboard.press("Control+s")
	dialog = desk.page.locator(".modal.show")
	expect(dialog.locator(".modal-title")).to_have_text("Propose Changes to a Running Campaign")
	desk.settle()
	shoot(desk, "propose-dialog")
	dialog.locator(".btn-modal-primary").click()
	expect(desk.page.locator(".drip-proposal")).to_be_visible()
	desk.settle()


def test_change_is_proposed_reviewed_side_by_side_and_released(sign_in, campaign):
	hostile = 'A tip <img src=x onerror="window.canary=1"> for the first weeks'
	author = sign_in("user")
	author.open(f"drip-campaign/{campaign.name}")
	edit_and_save(author, hostile, CLIENT_TEMPLATE)
	expect(author.page.locator(".drip-proposal")).to_contain_text("Your change waits for release:")
	shoot(author, "proposal-author")
	assert (
		frappe.db.get_value("Drip Campaign Step", campaign.steps[1].name, "subject")
		== campaign.steps[1].subject
	)

	manager = sign_in("manager")
	manager.open(f"drip-campaign/{campaign.name}")
	expect(manager.page.locator(".drip-proposal")).to_contain_text("Paula proposed a change")
	shoot(manager, "proposal-manager")
	manager.page.locator(".drip-proposal button", has_text="Review Changes").click()
	dialog = manager.page.locator(".modal.show")
	expect(dialog.locator(".drip-changes tbody tr")).to_have_count(4)
	expect(dialog.locator(".drip-changes ins", has_text="onerror")).to_be_visible()
	manager.settle()
	shoot(manager, "review")
	assert manager.page.evaluate("() => window.canary") is None
	dialog.locator(".btn-modal-primary", has_text="Release").click()
	expect(manager.page.locator(".drip-proposal")).to_have_count(0)
	manager.settle()

	frappe.db.rollback()
	steps = frappe.get_doc("Drip Campaign", campaign.name).steps
	assert "https://tips.example/two" in steps[1].message and "two weeks" in steps[1].message
	assert [step.subject for step in steps][2] == "How is it going?"
	assert frappe.db.get_value(DOCTYPE, {"campaign": campaign.name}, "status") == "Released"
	assert author.errors == manager.errors == []


def test_author_continues_a_change_and_a_manager_declines_it(sign_in, campaign):
	author = sign_in("user")
	author.open(f"drip-campaign/{campaign.name}")
	edit_and_save(author, "A tip for the first two weeks")
	author.page.locator(".drip-proposal button", has_text="Continue Editing").click()
	author.page.wait_for_function("() => cur_frm.doc.steps.length === 3 && cur_frm.is_dirty()")
	author.settle()
	shoot(author, "proposal-continue")
	author.page.evaluate(
		"() => frappe.model.set_value(cur_frm.doc.steps[2].doctype, cur_frm.doc.steps[2].name, 'subject', 'How was your start?')"
	)
	author.page.keyboard.press("Control+s")
	author.page.locator(".modal.show .btn-modal-primary").click()
	expect(author.page.locator(".drip-proposal button", has_text="Withdraw")).to_be_visible()
	author.settle()

	manager = sign_in("manager")
	manager.open(f"drip-campaign/{campaign.name}")
	manager.page.locator(".drip-proposal button", has_text="Review Changes").click()
	expect(manager.page.locator(".drip-changes")).to_contain_text("How was your start?")
	manager.settle()
	shoot(manager, "review-plain")
	manager.page.locator(".modal.show .btn-modal-secondary", has_text="Decline").click()
	prompt = manager.page.locator(".modal.show", has_text="Reason (the author gets it)")
	prompt.locator("textarea").fill("Too early")
	prompt.locator(".btn-modal-primary").click()
	expect(manager.page.locator(".drip-proposal")).to_have_count(0)
	manager.settle()

	frappe.db.rollback()
	assert frappe.db.get_value(DOCTYPE, {"campaign": campaign.name}, ["status", "reason"]) == (
		"Declined",
		"Too early",
	)
	assert len(frappe.get_doc("Drip Campaign", campaign.name).steps) == 2
	assert author.errors == manager.errors == []


def test_conflict_shows_both_texts_and_offers_no_release(sign_in, people, campaign):
	frappe.set_user(people["user"])
	campaign.steps[1].subject = "Of the author"
	campaign.save()
	frappe.set_user(people["manager"])
	live = frappe.get_doc("Drip Campaign", campaign.name)
	live.steps[1].subject = "Of the manager"
	live.save()
	frappe.set_user("Administrator")
	frappe.db.commit()

	manager = sign_in("manager")
	manager.open(f"drip-campaign/{campaign.name}")
	manager.page.locator(".drip-proposal button", has_text="Review Changes").click()
	row = manager.page.locator(".drip-changes tbody tr")
	expect(row).to_contain_text("Of the author")
	expect(row.locator(".drip-conflict")).to_contain_text("Of the manager")
	manager.settle()
	shoot(manager, "review-conflict")
	expect(manager.page.locator(".modal.show .btn-modal-primary:visible")).to_have_count(0)
	assert manager.errors == []
