"""Texts of outsiders in Desk: a Drip Manager looks at them everywhere, and none of them runs anything."""

from collections.abc import Iterator

import frappe
import pytest
from frappe.model.utils import user_settings
from playwright.sync_api import Browser

from tests import factories
from tests.browser.conftest import DESKTOP, PASSWORD
from tests.browser.desk import Desk
from tests.integration.test_stored_texts import CODE_TYPES, run_through_the_app, text_fields, written_doctypes

SET = "window.__canary=(window.__canary||0)+1"
CANARY = "() => window.__canary"
PAYLOADS = (
	f"&lt;img src=x onerror={SET}&gt;",
	f"<img src=x onerror={SET}>",
	f"<!--><img src=x onerror={SET}>-->",
	f'"<svg/onload={SET}>"',
)
LISTS = (
	*("drip-enrollment", "drip-email", "drip-event", "drip-action", "drip-suppression"),
	*("drip-target-list-member", "drip-trigger-firing", "drip-sending-block", "communication"),
)

FORMS = {"drip-enrollment": 8, "drip-email": 8, "communication": 8}  # how many of them are opened


@pytest.fixture
def manager(web: str, browser: Browser, screenshots) -> Iterator[Desk]:
	"""Desk of a Drip Manager who is no System Manager."""
	from frappe.utils.password import update_password

	user = factories.make_user("hostess", "Drip Manager", "Sales User")  # who reads Contacts
	update_password(user, PASSWORD)
	frappe.db.commit()
	show_text_columns(user)
	context = browser.new_context(viewport=DESKTOP, base_url=web)
	desk = Desk(context.new_page(), screenshots)
	desk.log_in(user, PASSWORD)
	yield desk
	desk.page.goto("about:blank")
	context.close()


def show_text_columns(user: str) -> None:
	"""Let the report view of each DocType show its text columns to the user."""
	frappe.set_user(user)
	for doctype in written_doctypes():
		fields = [
			[field.fieldname, doctype]
			for field in text_fields(doctype)
			if field.fieldtype not in CODE_TYPES and not field.hidden
		]
		settings = {"Report": {"fields": [["name", doctype], *fields[:12]], "filters": [], "order_by": ""}}
		user_settings.save(doctype, frappe.as_json(settings))
	frappe.set_user("Administrator")


def test_no_text_of_an_outsider_runs_in_desk(manager, clock, smtp):
	for number, payload in enumerate(PAYLOADS):
		run_through_the_app(clock, smtp, payload, number)
	places = [
		"drip-campaigns",
		*(f"drip-campaign/{name}" for name in frappe.get_all("Drip Campaign", pluck="name")),
	]
	for route in LISTS:
		doctype = frappe.unscrub(route.replace("-", "_")).title()
		names = frappe.get_all(doctype, pluck="name", limit=FORMS.get(route, 1))
		places += [route, f"{route}/view/report", *(f"{route}/{name}" for name in names)]
	# Frappe's own save leaves the first text in the Contact.
	left = frappe.get_all("Contact", {"first_name": PAYLOADS[0]}, pluck="name")
	places += [f"contact/{name}" for name in left]
	ran = [place for place in places if runs_something(manager, place)]

	assert ran == []


def runs_something(desk: Desk, place: str) -> bool:
	"""Open a place, and return whether a text ran there."""
	desk.open(place)
	return bool(desk.page.evaluate(CANARY))
