"""Records of a DocType that is named by Autoincrement, whose names are numbers in the database, in every path."""

import json
from datetime import timedelta

import frappe
import pytest
from frappe.utils import cstr

from drip_campaigns.api import lists
from drip_campaigns.api.enroll import (
	enroll_people_file,
	enroll_records,
	explain_enrollment,
	preview_enrollment,
)
from drip_campaigns.api.triggers import trigger_campaign
from drip_campaigns.desk.suppression_notice import show_suppression
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.jobs import run_actions
from drip_campaigns.people.exclusions import Exclusions
from drip_campaigns.people.recipients import load_recipients
from drip_campaigns.site.clock import utc_now
from drip_campaigns.triggers import backfill
from tests import factories, stand_ins
from tests.factories import DOMAIN, step
from tests.fakes import Clock
from tests.trigger_steps import make_campaign, work_off

NUMBERED = "Drip Test Number"
FIELDS = [
	("mail", "Data", "Email"),
	("city", "Data", ""),
	("visit", "Date", ""),
	("friend", "Link", NUMBERED),
]
ROW = {"document_type": NUMBERED, "address_field": "mail"}


@pytest.fixture(scope="module")
def numbered_doctype(connected_site):
	stand_ins.make(NUMBERED, FIELDS, autoname="autoincrement", naming_rule="Autoincrement")
	yield
	frappe.db.rollback()
	stand_ins.remove(NUMBERED)


@pytest.fixture
def clock():
	"""Today: several ways in begin now, whatever the time of a test."""
	return Clock(utc_now())


@pytest.fixture(autouse=True)
def numbered(numbered_doctype, site):
	"""A type of numbered records that Drip Settings list."""
	name_types(ROW)
	yield
	frappe.db.rollback()
	name_types()
	frappe.db.delete(NUMBERED)
	frappe.db.commit()


def name_types(*rows: dict) -> None:
	settings = frappe.get_doc("Drip Settings")
	settings.set("recipient_types", rows)
	settings.save()
	frappe.db.commit()


def insert(who: str = "ada", **fields):
	record = frappe.get_doc(doctype=NUMBERED, mail=f"{who}@{DOMAIN}", **fields).insert()
	assert isinstance(record.name, int)
	return record


def filters_of(record) -> str:
	return json.dumps([[NUMBERED, "mail", "=", record.mail]])


def by_form(campaign, record, clock):
	frappe.get_doc(
		doctype="Drip Enrollment", campaign=campaign.name, recipient_type=NUMBERED, recipient=record.name
	).insert()


def by_bulk_run(campaign, record, clock):
	previewed = preview_enrollment(campaign.name, NUMBERED, filters_of(record))
	done = enroll_records(campaign.name, NUMBERED, filters_of(record))
	assert (previewed["total"], done["enrolled"]) == (1, 1)


def by_ticked_rows(campaign, record, clock):
	enroll_records(campaign.name, NUMBERED, json.dumps([[NUMBERED, "name", "in", [record.name]]]))


def by_code(campaign, record, clock):
	assert [result.done for result in enroll_many(campaign.name, NUMBERED, [record.name], clock.now)] == [1]


def by_source_of_a_list(campaign, record, clock):
	target_list = factories.make_list(sources=[factories.source(NUMBERED, [["mail", "=", record.mail]])])
	_join(campaign, target_list)
	factories.refresh(target_list)
	work_off(clock)


def by_list_by_hand(campaign, record, clock):
	target_list = factories.make_list()
	_join(campaign, target_list)
	assert lists.add_to_list(target_list.name, NUMBERED, json.dumps([record.name]))["joined"] == 1
	work_off(clock)


def by_form_of_a_member(campaign, record, clock):
	target_list = factories.make_list()
	_join(campaign, target_list)
	factories.add_to_list(target_list, record)
	work_off(clock)


def _join(campaign, target_list) -> None:
	campaign.reload().append("target_lists", {"target_list": target_list.name, "enroll_joining": 1})
	campaign.save()
	frappe.db.commit()


WAYS = (
	*(by_form, by_bulk_run, by_ticked_rows, by_code),
	*(by_source_of_a_list, by_list_by_hand, by_form_of_a_member),
)


@pytest.mark.parametrize("way", WAYS)
def test_numbered_record_is_enrolled_and_gets_its_emails(smtp, clock, way):
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	record = insert()

	way(campaign, record, clock)
	frappe.db.commit()
	clock.advance(days=3)
	factories.run(clock)
	clock.advance(days=3)
	factories.run(clock)

	assert [m.message["Subject"] for m in smtp.to(record.mail)] == ["Day 0", "Day 2"]
	assert frappe.get_all("Drip Enrollment", pluck="recipient") == [cstr(record.name)]
	why_not = explain_enrollment(campaign.name, NUMBERED, cstr(record.name), filters_of(record))
	assert [check["finding"] for check in why_not["checks"] if not check["is_met"]][0].startswith("Was in")
	linked = {"link_doctype": NUMBERED, "link_name": cstr(record.name), "parenttype": "Communication"}
	assert factories.count("Communication Link", **linked) == 2


def of_type(kind: str, **fields) -> dict:
	return {"kind": kind, "recipient_type": NUMBERED, **fields}


TRIGGERS = {
	"created": (of_type("Record Created"), lambda record: None),
	"field": (
		of_type("Field Reached Value", field_name="city", field_value="Bonn"),
		lambda record: record.update({"city": "Bonn"}).save(),
	),
	"filtered": (
		of_type("Record Created", filters=json.dumps([[NUMBERED, "mail", "like", f"%{DOMAIN}"]])),
		lambda record: None,
	),
	"tag": (of_type("Tag Added"), lambda record: record.add_tag("Hot")),
	"call": (
		of_type("API Call", event_name="go"),
		lambda record: trigger_campaign("go", NUMBERED, cstr(record.name)),
	),
	"date": (
		of_type("Date Reached", field_name="visit", days=0, days_from="After"),
		lambda record: record.update({"visit": frappe.utils.today()}).save(),
	),
}


@pytest.mark.parametrize("case", TRIGGERS)
def test_numbered_record_fires_triggers(clock, case):
	row, happen = TRIGGERS[case]
	campaign = make_campaign(clock, row)

	record = insert()
	happen(record)
	clock.advance(minutes=20)
	work_off(clock)

	found = frappe.get_all("Drip Enrollment", {"campaign": campaign.name}, pluck="recipient")
	assert found == [cstr(record.name)]


def test_numbered_records_that_met_a_trigger_before_are_found_page_by_page(clock):
	for who in ("ada", "bea", "cleo"):
		insert(who)
	campaign = make_campaign(clock, of_type("Record Created"))

	[counted] = backfill.count_existing(campaign, clock.now)
	audience = backfill.ExistingAudience(campaign.name, counted["trigger"], NUMBERED)

	assert counted["count"] == 3
	assert [len(page) for page in audience.pages(2)] == [2, 1]
	assert all(isinstance(name, str) for page in audience.pages(2) for name in page)


def test_file_names_numbered_records(upload, clock):
	campaign = factories.make_active_campaign(clock)
	record = insert()

	done = enroll_people_file(
		campaign.name, NUMBERED, upload(f"Record\n{record.name}\n"), json.dumps({"record": "Record"})
	)

	assert done["enrolled"] == 1


@pytest.mark.parametrize(
	"test",
	[
		{"kind": "field", "field": "city", "operator": "=", "value": "Bonn"},
		{"kind": "field", "link": "friend", "field": "city", "operator": "=", "value": "Ulm"},
		{"kind": "tag", "tag": "Hot"},
	],
	ids=lambda test: test.get("link") or test["kind"],
)
def test_conditions_ask_about_numbered_records(smtp, clock, test):
	conditions = json.dumps({"match": "all", "tests": [test]})
	if test["kind"] == "tag":
		frappe.get_doc(doctype="Tag", name="Hot").insert(ignore_if_duplicate=True)
	campaign = factories.make_active_campaign(clock, step(0, conditions=conditions))
	friend = insert("bea", city="Ulm")
	yes, no = insert("ada", city="Bonn", friend=friend.name), insert("cleo")
	yes.add_tag("Hot")
	for record in (yes, no):
		factories.enroll(campaign, record, clock)

	factories.run(clock)

	assert [message.recipient for message in smtp.messages] == [yes.mail]


def test_action_changes_a_numbered_record(clock):
	action = {"step_type": "Action", "action": "Set Field", "action_doctype": NUMBERED}
	campaign = factories.make_active_campaign(
		clock, step(0), {**action, "action_field": "city", "action_value": "Bonn", "send_after_days": 1}
	)
	record = insert()
	factories.enroll(campaign, record, clock)
	factories.run(clock)
	clock.advance(days=2)
	factories.run(clock)
	run_actions.run(clock.now + timedelta(minutes=1))

	assert record.reload().city == "Bonn"


def test_numbered_record_is_excluded_shown_as_suppressed_and_forgotten(clock):
	record = insert()
	staff = factories.make_list("Drip Test Staff", record)
	recipient = load_recipients(NUMBERED, [record.name])[cstr(record.name)]
	enrollment = factories.enroll(factories.make_active_campaign(clock), record, clock)
	frappe.get_doc(
		doctype="Drip Suppression", email_address=record.mail, reason="Manual", note="She called"
	).insert()

	assert Exclusions(lists=[staff.name]).find([recipient])
	show_suppression(record)
	assert record.get_onload("drip_suppression")["address"] == record.mail

	record.delete()
	assert enrollment.reload().recipient is None
	assert factories.count("Drip Target List Member") == 0
