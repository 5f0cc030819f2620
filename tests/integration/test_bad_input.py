"""Input that makes no sense: refused when it is saved, with the record and the remedy; else it costs only its own record."""

import json
from datetime import timedelta

import frappe
import pytest

from drip_campaigns.api import editing
from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.errors import DripError
from drip_campaigns.site.messages import read_error
from tests import factories, verbs
from tests.factories import DOMAIN, step


def refusal_of(function, *arguments, **options) -> str:
	"""Return the message, as text, with which `function` refuses; what it has written by then is undone."""
	frappe.db.savepoint("refusal")
	with pytest.raises((frappe.ValidationError, DripError)) as caught:
		function(*arguments, **options)
	frappe.db.rollback(save_point="refusal")
	return read_error(caught.value)


def test_new_campaign_has_no_window_unless_somebody_set_one(site):
	empty = factories.make_campaign()
	named = factories.make_campaign(window_from="09:00:00", window_to="17:30:00")

	for campaign in (empty, named):
		campaign.reload()
	assert (empty.window_from, empty.window_to) == (None, None)
	assert (str(named.window_from), str(named.window_to)) == ("9:00:00", "17:30:00")


def test_campaign_without_steps_cannot_be_activated(site, clock):
	draft = frappe.get_doc(doctype="Drip Campaign", campaign_name="Drip Test Empty")

	said = refusal_of(draft.insert)

	assert "step" in said.lower()
	assert not frappe.db.exists("Drip Campaign", "Drip Test Empty")


def test_campaign_with_nothing_but_disabled_steps_cannot_be_activated(site, clock):
	campaign = factories.make_campaign(step(0, enabled=0))

	said = refusal_of(lifecycle.activate, campaign, clock.now)

	assert said == f"Campaign {campaign.name} has no enabled step. Add a step, or enable one."


@pytest.mark.parametrize(
	("row", "said"),
	[
		(step(0, message=""), "Step 1 has no text. Write a message, or choose an Email Template."),
		(step(0, message="<p><br></p>"), "Step 1 has no text."),
		({**step(0), "subject": ""}, "Step 1 has no subject. Enter one, or choose an Email Template."),
		(step(-1, subject="x"), "Send After (Days)"),
		(step(0, send_after_hours=-5), "Hours"),
		(step(0, email_template="Drip Test Nowhere"), "Drip Test Nowhere"),
		(step(0, message="<p>{{ recipient.first_name </p>"), "Step 1, Message line 1"),
		(step(0, subject="Hi {% if %}"), "Step 1, Subject line 1"),
		(
			step(0, message="<p>{{ frist_name }}</p>"),
			"{{ frist_name }} is not known. Use recipient.first_name",
		),
		(
			step(0, message="<p>{{ recipient.surname }}</p>"),
			"recipient.surname is not known. A recipient has first_name",
		),
		(
			step(0, message="<p>{{ doc.no_such_field }}</p>"),
			"doc.no_such_field is not a field of Contact, User",
		),
	],
	ids=str,
)
def test_step_that_makes_no_sense_is_refused_when_it_is_saved(site, row, said):
	message = refusal_of(factories.make_campaign, row)

	assert said in message


def test_every_problem_of_a_campaign_is_told_at_once(site):
	message = refusal_of(factories.make_campaign, step(0, message=""), step(1, message="{{ nobody }}"))

	assert "Step 1 has no text" in message
	assert "Step 2, Message" in message


@pytest.mark.parametrize(
	("fields", "said"),
	[
		({"start_date": "2026-05-02", "end_date": "2026-05-01"}, "is before the start date"),
		(
			dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), 0),
			"No weekday is allowed. Select at least one under Timing.",
		),
		({"time_zone": "Europe/Nowhere"}, "Europe/Nowhere"),
		({"window_from": "17:00:00", "window_to": "09:00:00"}, "window"),
		({"grace_hours": -1}, "Grace"),
		({"restart_after_days": -1}, "days before a restart must not be negative"),
	],
	ids=str,
)
def test_timing_that_makes_no_sense_is_refused_when_it_is_saved(site, fields, said):
	message = refusal_of(factories.make_campaign, **fields)

	assert said.lower() in message.lower()


def test_record_that_is_not_there_cannot_be_enrolled(site, clock):
	campaign = factories.make_active_campaign(clock)

	said = refusal_of(verbs.enroll, campaign.name, "Contact", "Nobody-Drip", clock.now)

	assert "Nobody-Drip" in said


def test_kind_of_record_without_an_address_cannot_be_enrolled(site, clock):
	campaign = factories.make_active_campaign(clock)

	said = refusal_of(verbs.enroll, campaign.name, "Role", "System Manager", clock.now)

	assert "Role records cannot be enrolled. Choose one of: Contact, User" in said


def test_record_without_an_address_cannot_be_enrolled(site, clock):
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada", None)

	said = refusal_of(verbs.enroll, campaign.name, "Contact", contact.name, clock.now)

	assert "Contact Ada has no email address. Enter one in the record." in said


@pytest.mark.parametrize(
	"address",
	["ada", "ada@", "ada@x@y", f"a@{DOMAIN}, b@{DOMAIN}", f"Ada <ada@{DOMAIN}>", f"sel\u0131m@{DOMAIN}"],
)
def test_record_with_an_invalid_address_cannot_be_enrolled(site, clock, address):
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada")
	frappe.db.set_value("Contact", contact.name, "email_id", address)

	said = refusal_of(verbs.enroll, campaign.name, "Contact", contact.name, clock.now)

	assert f"Contact Ada has no valid email address. Correct “{address}” in the record." in said


def test_record_that_must_not_be_written_to_cannot_be_enrolled(site, clock):
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada", unsubscribed=1)
	user = frappe.get_doc("User", factories.make_user("disabled", "Drip User"))
	frappe.db.set_value("User", user.name, "enabled", 0)

	assert "Contact Ada is marked as unsubscribed. Change the record if this is wrong." in refusal_of(
		verbs.enroll, campaign.name, "Contact", contact.name, clock.now
	)
	assert "is disabled. Change the record if this is wrong." in refusal_of(
		verbs.enroll, campaign.name, "User", user.name, clock.now
	)


def test_start_in_the_past_or_after_the_end_of_the_campaign_is_refused(site, clock):
	today = clock.now.date()
	campaign = factories.make_active_campaign(clock, end_date=today + timedelta(days=10))
	contact = factories.make_contact()

	yesterday, too_late = (
		refusal_of(verbs.enroll, campaign.name, "Contact", contact.name, clock.now, start_date=day)
		for day in (today - timedelta(days=1), today + timedelta(days=11))
	)

	assert "is in the past. Choose today or a later day." in yesterday
	assert f"is after the end of campaign {campaign.name}" in too_late


def test_nobody_is_enrolled_in_a_campaign_that_has_ended(site, clock):
	campaign = factories.make_active_campaign(clock)
	lifecycle.end(campaign, clock.now)

	said = refusal_of(verbs.enroll, campaign.name, "Contact", factories.make_contact().name, clock.now)

	assert said == f"Campaign {campaign.name} has ended. Choose another one."


def test_start_date_of_an_enrollment_is_not_changed_afterwards(site, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	enrollment.start_date = "2026-12-24"

	said = refusal_of(enrollment.save)

	assert said == "The start date of an enrollment cannot be changed. Remove it and enroll again."


def test_address_that_was_emptied_costs_only_its_own_record(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	people = [factories.make_contact() for _ in range(3)]
	enrollments = [factories.enroll(campaign, contact, clock) for contact in people]
	frappe.db.set_value("Contact", people[1].name, "email_id", "")
	frappe.db.commit()

	factories.run(clock)

	assert {message.recipient for message in smtp.messages} == {people[0].email_id, people[2].email_id}
	enrollments[1].reload()
	assert (
		f"Contact {people[1].name} has no email address. Enter one in the record."
		in enrollments[1].last_error
	)
	assert enrollments[1].status == "In Progress"


def test_address_that_was_mended_gets_its_mail_with_the_next_try(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact()
	enrollment = factories.enroll(campaign, contact, clock)
	frappe.db.set_value("Contact", contact.name, "email_id", "broken")
	frappe.db.commit()
	factories.run(clock)

	frappe.db.set_value("Contact", contact.name, "email_id", f"mended@{DOMAIN}")
	frappe.db.commit()
	clock.advance(minutes=5)
	factories.run(clock)

	assert [message.recipient for message in smtp.messages] == [f"mended@{DOMAIN}"]
	enrollment.reload()
	assert (enrollment.email_address, enrollment.attempts, enrollment.last_error) == (
		f"mended@{DOMAIN}",
		0,
		None,
	)


def test_address_that_another_enrollment_has_is_told_and_stops_nobody(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	first, second = factories.make_contact("First"), factories.make_contact("Second")
	enrollments = [factories.enroll(campaign, contact, clock) for contact in (first, second)]
	frappe.db.set_value("Contact", second.name, "email_id", first.email_id)
	frappe.db.commit()

	factories.run(clock)

	assert [message.recipient for message in smtp.messages] == [first.email_id]
	enrollments[1].reload()
	assert (
		"has the same address as another record in the campaign. Open that enrollment"
		in enrollments[1].last_error
	)


def test_record_that_was_deleted_ends_its_enrollment_and_no_other(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	gone, there = factories.make_contact("Gone"), factories.make_contact("There")
	enrollment = factories.enroll(campaign, gone, clock)
	factories.enroll(campaign, there, clock)
	gone.delete()
	frappe.db.commit()

	factories.run(clock)

	assert [message.recipient for message in smtp.messages] == [there.email_id]
	enrollment.reload()
	assert (enrollment.status, enrollment.exit_reason) == ("Exited", "Recipient Deleted")
	assert frappe.db.get_value(
		"Drip Event", {"enrollment": enrollment.name, "event_type": "Exited"}, "detail"
	) == (f"Contact {gone.name} no longer exists.")


def test_record_that_was_renamed_goes_on(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada", f"ada@{DOMAIN}")
	enrollment = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	frappe.local.dynamic_link_map = None  # kept for a request, and all tests are one
	frappe.rename_doc("Contact", contact.name, "Ada Renamed", force=True)
	frappe.db.commit()

	clock.advance(days=2)
	factories.run(clock)

	assert [message.message["Subject"] for message in smtp.to(f"ada@{DOMAIN}")] == ["Day 0", "Day 2"]
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "recipient") == "Ada Renamed"


def test_values_that_break_a_text_for_one_person_cost_only_that_person(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock, step(0, message="<p>{{ 10 // (doc.first_name | length - 3) }}</p>")
	)
	ada, bob = factories.make_contact("Ada"), factories.make_contact("Berta")
	enrollment = factories.enroll(campaign, ada, clock)
	factories.enroll(campaign, bob, clock)

	factories.run(clock)

	assert [message.recipient for message in smtp.messages] == [bob.email_id]
	enrollment.reload()
	assert "Step “Day 0”: ZeroDivisionError" in enrollment.last_error


def test_without_an_outgoing_account_a_campaign_cannot_be_activated(site, clock):
	campaign = factories.make_campaign()

	with factories.without_account():
		said = refusal_of(lifecycle.activate, campaign, clock.now)

	assert "No outgoing Email Account can send for" in said
	assert "Create one and make it the default outgoing account." in said


def test_account_that_went_away_fails_nobody_and_mail_leaves_when_it_is_back(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)

	with factories.without_account():
		factories.run(clock)
	enrollment.reload()
	stood = (enrollment.status, enrollment.attempts, enrollment.last_error)
	clock.advance(minutes=15)
	factories.run(clock)

	assert stood[:2] == ("In Progress", 0)
	assert "No outgoing Email Account can send for" in stood[2]
	assert len(smtp.messages) == 1


@pytest.mark.parametrize(
	("field", "value"),
	[("batch_size", -1), ("batch_size", 9999), ("release_after_minutes", 60), ("max_attempts", 99)],
)
def test_settings_out_of_range_are_refused_with_the_range(site, field, value):
	settings = frappe.get_doc("Drip Settings")
	settings.set(field, value)

	said = refusal_of(settings.save)

	assert settings.meta.get_label(field) in said


def test_campaign_with_people_on_it_is_not_deleted(site, clock):
	campaign = factories.make_active_campaign(clock)
	factories.enroll(campaign, factories.make_contact(), clock)

	said = refusal_of(frappe.delete_doc, "Drip Campaign", campaign.name)

	assert f"Campaign {campaign.name} has 1 enrollments." in said


def test_template_that_a_campaign_uses_is_not_deleted_unnoticed(site):
	template = factories.make_email_template("Drip Test Used", "Hi", "<p>x</p>")
	campaign = factories.make_campaign(step(0, email_template=template.name))

	said = refusal_of(template.delete)

	assert campaign.name in said


DEEP = "[" * 5000


@pytest.mark.parametrize(
	("method", "argument"),
	[
		("describe_steps", [{"name": {"a": "b"}, "conditions": DEEP}]),
		("describe_steps", DEEP),
		("preview_days", {"name": "new-1", "steps": [{"send_after_days": 10**30}]}),
		("preview_days", {"name": "new-1", "steps": [{"send_after_days": "x"}]}),
		("preview_days", {"name": ["like", "%"]}),
		("preview_days", {"name": {"status": "Active"}}),
		("preview_days", {"name": "new-1", "steps": "x"}),
		("preview_edit", {"steps": "x"}),
		("preview_edit", DEEP),
	],
)
def test_plan_that_no_form_sends_is_refused_in_words(site, method, argument):
	campaign = factories.make_campaign()
	if isinstance(argument, dict):
		argument = json.dumps({"doctype": "Drip Campaign", "name": campaign.name, **argument})

	with pytest.raises(frappe.ValidationError):
		getattr(editing, method)(argument if isinstance(argument, str) else json.dumps(argument))


@pytest.mark.parametrize("method", ["preview_edit", "preview_days", "describe_steps"])
def test_plan_is_not_even_read_without_the_right(site, method):
	frappe.set_user(factories.make_user("stranger"))

	with pytest.raises(frappe.PermissionError):
		getattr(editing, method)(json.dumps({"doctype": "Drip Campaign", "name": "x", "steps": "x"}))
