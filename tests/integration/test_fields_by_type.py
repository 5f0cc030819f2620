"""Values are compared by type: triggers, conditions, goals, and waits on custom fields of every type with a value of its own."""

import json
from datetime import date

import frappe
import pytest

from drip_campaigns.enrollment.verbs import EnrollmentVerb, VerbRequest, apply_verb
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import step
from tests.fakes import Clock
from tests.trigger_steps import make_campaign, trigger, work_off

# The type of a field: what a form or the API sends for one value, how a rule spells it, and another value.
FIELDS = {
	"Currency": ((100, "100", 100.0, "100.00"), "100", 99),
	"Float": ((1.5, "1.5", "1.50"), "1.50", 2),
	"Percent": ((50, "50", 50.0), "50", 49.5),
	"Duration": ((3600, "3600", 3600.0), "3600", 60),
	"Time": (("09:00:00", "9:00:00", "09:00:00.000000"), "9:00", "10:00:00"),
	"Check": ((1, "1", True), "1", 0),
	"Int": ((7, "7", 7.0), "7", 8),
	"Date": (("2026-03-02", date(2026, 3, 2)), "2026-03-02", "2026-03-03"),
	"Datetime": (
		("2026-03-02 09:00:00", "2026-03-02 09:00:00.000000"),
		"2026-03-02 09:00:00",
		"2026-03-02 10:00:00",
	),
}


def name_of(fieldtype: str) -> str:
	return f"drip_test_{fieldtype.lower()}"


@pytest.fixture
def clock() -> Clock:
	"""Events happen now, so the tests' time is now, too."""
	return Clock(utc_now())


@pytest.fixture(scope="module")
def fields(connected_site):
	"""A custom field of each type on Contacts."""
	from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

	frappe.set_user("Administrator")
	create_custom_fields(
		{"Contact": [{"fieldname": name_of(one), "fieldtype": one, "label": f"Drip {one}"} for one in FIELDS]}
	)
	frappe.db.commit()
	yield
	frappe.db.rollback()
	frappe.set_user("Administrator")
	factories.clear_site()  # a field that a campaign names cannot be deleted
	for fieldtype in FIELDS:
		frappe.delete_doc("Custom Field", f"Contact-{name_of(fieldtype)}", force=True)
	frappe.db.commit()


def make_contact(place: int):
	"""Make a Contact whose fields have the other values (2), or the wanted ones (0)."""
	values = {name_of(one): row[place][0] if place == 0 else row[place] for one, row in FIELDS.items()}
	return factories.make_contact(**values)


def save_as_form(contact, **values) -> None:
	"""Save a Contact as a form or the API sends it: as JSON, with these values."""
	sent = {**json.loads(frappe.as_json(frappe.get_doc("Contact", contact.name).as_dict())), **values}
	frappe.client.save(frappe.as_json(sent))
	frappe.db.commit()


@pytest.mark.parametrize("rule", ["Resume", "Restart"])
@pytest.mark.parametrize("wanted", [True, False], ids=["value", "any value"])
def test_saving_a_record_unchanged_enrolls_nobody_again(site, fields, clock, rule, wanted):
	for fieldtype, (_sent, spelled, _other) in FIELDS.items():
		value = {"field_value": spelled} if wanted else {}
		make_campaign(
			clock, trigger("Field Reached Value", field_name=name_of(fieldtype), **value), re_enrollment=rule
		)
	contact = make_contact(2)
	save_as_form(contact, **{name_of(one): sent[0] for one, (sent, _spelled, _other) in FIELDS.items()})
	work_off(clock)
	fired = factories.count("Drip Trigger Firing")
	names = frappe.get_all("Drip Enrollment", pluck="name")
	assert len(names) == len(FIELDS)
	apply_verb(names, VerbRequest(EnrollmentVerb.REMOVE), clock.now)
	frappe.db.commit()

	for number in range(4):
		save_as_form(contact, **{name_of(one): row[0][number % len(row[0])] for one, row in FIELDS.items()})
		document = frappe.get_doc("Contact", contact.name)
		document.update({name_of(one): row[0][number % len(row[0])] for one, row in FIELDS.items()})
		document.save()
		work_off(clock)

	assert factories.count("Drip Trigger Firing") == fired
	assert set(frappe.get_all("Drip Enrollment", pluck="status")) == {"Exited"}


@pytest.mark.parametrize("fieldtype", FIELDS)
def test_value_fires_once_each_time_it_is_reached(site, fields, clock, fieldtype):
	sent, spelled, other = FIELDS[fieldtype]
	make_campaign(clock, trigger("Field Reached Value", field_name=name_of(fieldtype), field_value=spelled))
	contact = make_contact(2)

	for value in (sent[0], sent[-1], other, sent[-1]):
		save_as_form(contact, **{name_of(fieldtype): value})

	assert factories.count("Drip Trigger Firing") == 2


def test_conditions_compare_by_type(site, fields, smtp, clock):
	tests = {
		one: {"kind": "field", "doctype": "Contact", "field": name_of(one), "operator": "=", "value": row[1]}
		for one, row in FIELDS.items()
	}
	steps = [
		step(0, subject=f"By {one}", conditions=json.dumps({"match": "all", "tests": [test]}))
		for one, test in tests.items()
	]
	campaign = factories.make_active_campaign(clock, *steps)
	meets, misses = make_contact(0), make_contact(2)
	for contact in (meets, misses):
		factories.enroll(campaign, contact, clock)
	for _number in FIELDS:
		factories.run(clock)
		clock.advance(minutes=5)

	got = sorted(str(m.message["subject"]) for m in smtp.messages if m.recipient == meets.email_id)
	assert got == sorted(f"By {one}" for one in FIELDS)
	assert not [m for m in smtp.messages if m.recipient == misses.email_id]


def test_goals_compare_by_type(site, fields, clock):
	campaigns = {}
	for fieldtype, (_sent, spelled, _other) in FIELDS.items():
		filters = json.dumps([["Contact", name_of(fieldtype), "=", spelled]])
		campaigns[fieldtype] = factories.make_active_campaign(
			clock, goal="Record Matches", goal_recipient_type="Contact", goal_filters=filters
		)
	contact = make_contact(2)
	for campaign in campaigns.values():
		factories.enroll(campaign, contact, clock)
	frappe.db.commit()

	for fieldtype, (sent, _spelled, _other) in FIELDS.items():
		save_as_form(contact, **{name_of(fieldtype): sent[-1]})
		work_off(clock)
		reached = frappe.db.get_value("Drip Enrollment", {"campaign": campaigns[fieldtype].name}, "status")
		assert reached == "Exited", fieldtype
	assert set(frappe.get_all("Drip Enrollment", pluck="exit_reason")) == {"Goal"}


def test_waits_compare_by_type(site, fields, smtp, clock):
	contacts = {one: make_contact(2) for one in FIELDS}
	for fieldtype, contact in contacts.items():
		wait = {
			"step_type": "Wait Until",
			"wait_for": "Field Value",
			"wait_field": name_of(fieldtype),
			"wait_value": FIELDS[fieldtype][1],
			"message": "",
		}
		campaign = factories.make_active_campaign(
			clock, step(0, **wait), step(0, subject=f"After {fieldtype}", counted_from="Previous Step")
		)
		factories.enroll(campaign, contact, clock)
	factories.run(clock)
	assert not smtp.messages

	for fieldtype, contact in contacts.items():
		save_as_form(contact, **{name_of(fieldtype): FIELDS[fieldtype][0][-1]})
	clock.advance(hours=2)
	factories.run(clock)

	assert sorted(str(m.message["subject"]) for m in smtp.messages) == sorted(
		f"After {one}" for one in FIELDS
	)
