"""Desk as somebody sees it who has the role Drip User, may read Contacts, and has nothing else of ours: no refusal pops up, no button that is refused."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests import factories
from tests.browser.conftest import signed_in
from tests.browser.desk import Desk

PLACES = ("drip-campaigns", "drip-campaign", "drip-enrollment", "drip-consent", "drip-settings")


@pytest.fixture
def clerk(web: str, browser: Browser, screenshots) -> Iterator[Desk]:
	"""Desk of a Drip User."""
	with signed_in(web, browser, screenshots, "clerk", "Drip User", "Sales User") as desk:
		yield desk


def test_drip_user_meets_no_refusal(clerk, clock, smtp):
	campaign = factories.make_active_campaign(clock, name="Drip Test Spring")
	contact = factories.make_contact("Ada", f"ada@{factories.DOMAIN}")
	enrollment = factories.enroll(campaign, contact, clock)
	# Somebody's rows are seen by who may read the record, and made them or may change the campaign.
	factories.frappe.db.set_value("Drip Enrollment", enrollment.name, "owner", f"clerk@{factories.DOMAIN}")
	factories.frappe.db.commit()
	refused = []
	clerk.page.on("response", lambda answer: refused.append((answer.status, answer.url)))

	for place in (*PLACES, f"drip-enrollment/{enrollment.name}", f"drip-campaign/{campaign.name}"):
		clerk.open(place)
		clerk.shoot(f"user-{place.replace('/', '-')}")
		expect(clerk.page.locator(".modal.show")).to_have_count(0)
	buttons = clerk.page.locator(
		".custom-actions button:visible, .inner-group-button button:visible"
	).all_inner_texts()
	clerk.page.locator(".custom-actions button:visible", has_text="Enroll").first.click()
	expect(clerk.page.locator(".modal.show .modal-title")).to_be_visible()
	clerk.settle()
	clerk.shoot("user-enroll-dialog")

	assert [answer for answer in refused if answer[0] in (403, 417, 500)] == []
	assert clerk.errors == []
	assert not {"Activate", "Pause", "End", "Resume"} & {text.strip() for text in buttons}
