"""A manager and a user do everything over HTTP, as the Desk and integrators do."""

import json

import frappe
import pytest
from frappe.utils.password import update_password

from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import DOMAIN, step
from tests.fakes import Clock
from tests.web import Browser

PASSWORD = "drip-test-pass"
DESK = "/api/method/drip_campaigns.api.desk."


@pytest.fixture
def browsers(web, site) -> dict[str, Browser]:
	"""A manager's and a user's browser, both signed in."""
	users = {
		"manager": factories.make_user("manager", "Drip Manager", "Sales User"),
		"user": factories.make_user("user", "Drip User", "Sales User"),
	}
	for address in users.values():
		update_password(address, PASSWORD)
	frappe.db.commit()
	return {name: Browser(web).sign_in(address, PASSWORD) for name, address in users.items()}


def create(browser: Browser, doctype: str, values: dict) -> dict:
	"""Insert a record by REST and return it."""
	answer = browser.post(f"/api/resource/{doctype}", values, as_json=True)
	assert answer.status == 200, answer.text
	return answer.json()["data"]


def act(browser: Browser, method: str, **arguments) -> int:
	"""Call a method of the Desk and return the status of the answer."""
	return browser.post(DESK + method, arguments).status


def status_of(doctype: str, name: str) -> str:
	frappe.db.rollback()
	return frappe.db.get_value(doctype, name, "status")


def test_user_drafts_manager_activates_user_enrolls_and_mail_leaves(browsers, smtp):
	contact = factories.make_contact("Ada", f"ada@{DOMAIN}")
	frappe.db.commit()
	user, manager = browsers["user"], browsers["manager"]

	campaign = create(
		user,
		"Drip Campaign",
		{"campaign_name": "Drip Test REST", "status": "Active", "steps": [step(0), step(2)]},
	)
	assert campaign["status"] == "Draft"
	assert act(user, "activate_campaign", campaign=campaign["name"]) == 403
	assert act(manager, "activate_campaign", campaign=campaign["name"]) == 200
	enrollment = create(
		user,
		"Drip Enrollment",
		{"campaign": campaign["name"], "recipient_type": "Contact", "recipient": contact.name},
	)
	factories.run(Clock(utc_now()))

	assert [mail.recipient for mail in smtp.messages] == [f"ada@{DOMAIN}"]
	schedule = user.get(f"{DESK}get_enrollment_schedule?enrollment={enrollment['name']}").json()["message"]
	assert [(row["subject"], row["status"]) for row in schedule] == [("Day 0", "Sent"), ("Day 2", "Planned")]
	summary = user.get(f"{DESK}get_campaign_summary?campaign={campaign['name']}").json()["message"]
	assert summary["enrollments"] == {"In Progress": 1}
	assert summary["emails"] == {"Sent": 1}


def test_enrollment_is_held_let_go_and_ended_by_who_made_it(browsers, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock).name
	user = browsers["user"]
	assert act(user, "pause_enrollment", enrollment=enrollment) == 403
	frappe.db.set_value("Drip Enrollment", enrollment, "owner", f"user@{DOMAIN}")
	frappe.db.commit()

	statuses = []
	for method in ("pause_enrollment", "resume_enrollment", "remove_enrollment"):
		assert act(user, method, enrollment=enrollment) == 200
		statuses.append(status_of("Drip Enrollment", enrollment))

	assert statuses == ["Paused", "In Progress", "Exited"]
	assert act(user, "pause_enrollment", enrollment=enrollment) == 417


def test_what_has_happened_is_read_and_never_written(browsers, clock, smtp):
	campaign = factories.make_active_campaign(clock)
	factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	mail = frappe.get_last_doc("Drip Email").name
	manager = browsers["manager"]

	assert manager.get(f"/api/resource/Drip Email/{mail}").status == 200
	assert manager.get("/api/resource/Drip Event").status == 200
	assert manager.post("/api/resource/Drip Event", {"event_type": "Sent"}, as_json=True).status == 403
	assert manager.post(f"{DESK}run_dispatch", {}).status == 200


def test_second_live_enrollment_is_refused_in_words(browsers, clock):
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada")
	factories.enroll(campaign, contact, clock)

	answer = browsers["user"].post(
		"/api/resource/Drip Enrollment",
		{"campaign": campaign.name, "recipient_type": "Contact", "recipient": contact.name},
		as_json=True,
	)

	assert answer.status in (409, 417)
	assert "is already in the campaign" in answer.text


@pytest.mark.parametrize(("who", "status"), [("manager", 200), ("user", 403)])
def test_sender_of_an_enrollment_is_saved_as_the_desk_sends_it_by_who_may_write_the_campaign(
	browsers, clock, smtp, who, status
):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock).name
	factories.run(clock)
	sender = factories.make_user("grace", "Drip User")
	browser = browsers[who]

	shown = (
		browsers["manager"]
		.get(f"/api/method/frappe.desk.form.load.getdoc?doctype=Drip Enrollment&name={enrollment}")
		.json()["docs"][0]
	)
	saved = browser.post(
		"/api/method/frappe.desk.form.save.savedocs",
		{"doc": json.dumps({**shown, "sender": sender}), "action": "Save"},
	)

	assert saved.status == status, saved.text
	frappe.db.rollback()
	is_changed = frappe.db.get_value("Drip Enrollment", enrollment, "sender") == sender
	assert is_changed is (status == 200)


def test_form_of_a_campaign_is_saved_as_the_desk_sends_it(browsers, clock):
	campaign = factories.make_active_campaign(
		clock, step(0), step(2), window_from="09:00:00", window_to="17:00:00"
	)
	manager = browsers["manager"]

	shown = manager.get(
		f"/api/method/frappe.desk.form.load.getdoc?doctype=Drip Campaign&name={campaign.name}"
	).json()["docs"][0]
	shown["steps"][1]["subject"] = "Changed"
	saved = manager.post(
		"/api/method/frappe.desk.form.save.savedocs", {"doc": json.dumps(shown), "action": "Save"}
	)

	assert saved.status == 200, saved.text
	frappe.db.rollback()
	campaign.reload()
	assert (campaign.status, [row.subject for row in campaign.steps]) == ("Active", ["Day 0", "Changed"])
	assert (str(campaign.window_from), str(campaign.window_to)) == ("9:00:00", "17:00:00")
