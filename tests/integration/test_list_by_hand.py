"""Ticked records put on a list in one call: who joins, who is there already, who stays out."""

import json

import frappe
import pytest

from drip_campaigns.api.lists import add_to_list
from drip_campaigns.enrollment.list_membership import unsubscribe_from_list
from drip_campaigns.jobs import run_triggers
from drip_campaigns.lists import add_members
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import DOMAIN

MEMBER = "Drip Target List Member"


def add(target_list, records) -> dict:
	return add_to_list(target_list.name, "Contact", json.dumps([record.name for record in records]))


def test_each_of_the_ticked_is_counted_and_whoever_joins_is_enrolled(site, clock):
	target_list = factories.make_list("Drip Test Hand")
	campaign = factories.make_active_campaign(clock, target_lists=[{"target_list": target_list.name}])
	ada, bob, gone = (factories.make_contact(name) for name in ("Ada", "Bob", "Gone"))
	twin, nobody = factories.make_contact("Twin", bob.email_id), factories.make_contact("Nobody", None)
	factories.add_to_list(target_list, ada)
	factories.add_to_list(target_list, gone)
	unsubscribe_from_list(target_list.name, gone.email_id, utc_now())

	answer = add(target_list, [ada, bob, gone, twin, nobody])
	frappe.db.commit()
	run_triggers.run(utc_now())

	assert answer == {"joined": 1, "came_back": 0, "unreachable": 1, "already": 2, "opted_out": 1}
	assert target_list.reload().member_count == 2
	enrolled = frappe.get_all("Drip Enrollment", filters={"campaign": campaign.name}, pluck="recipient_name")
	assert sorted(enrolled) == ["Ada", "Bob"]
	assert add(target_list, [bob])["already"] == 1
	nobody.delete()  # without an address nobody would take it for a test's


def test_whoever_was_added_by_hand_stays_whatever_the_sources_say(site):
	ada, bob = factories.make_contact("Ada", status="Open"), factories.make_contact("Bob", status="Open")
	filters = [["email_id", "like", f"%@{DOMAIN}"], ["status", "=", "Open"]]
	target_list = factories.make_list("Drip Test Mixed", sources=[factories.source(filters=filters)])
	factories.refresh(target_list)
	for contact in (ada, bob):
		frappe.get_doc("Contact", contact.name).update({"status": "Replied"}).save()
	factories.refresh(target_list)

	answer = add(target_list, [ada])
	run = factories.refresh(target_list)

	assert (answer["came_back"], run.dropped_out) == (1, 0)
	still = frappe.get_all(MEMBER, filters={"removed_at": ["is", "not set"]}, pluck="recipient_name")
	assert still == ["Ada"]


def test_records_that_the_user_may_not_read_are_not_added(site):
	target_list = factories.make_list("Drip Test Foreign")
	contact = factories.make_contact("Secret")
	frappe.set_user(factories.make_user("blind", "Drip User"))
	try:
		answer = add(target_list, [contact])
	finally:
		frappe.set_user("Administrator")

	assert (answer["joined"], answer["unreachable"]) == (0, 1)


@pytest.mark.parametrize(
	("names", "message"),
	[
		("{", "cannot be read"),
		("[]", "Enter at least one record"),
		("[null]", "Enter at least one record"),
		('["a", "b", "c"]', "at most 2 records at a time, and these are 3"),
	],
)
def test_names_that_make_no_sense_are_refused_with_the_remedy(site, monkeypatch, names, message):
	monkeypatch.setattr(add_members, "MAX_RECORDS", 2)
	target_list = factories.make_list("Drip Test Wrong")

	with pytest.raises(frappe.ValidationError, match=message):
		add_to_list(target_list.name, "Contact", names)


def test_hundred_records_take_a_handful_of_statements(site):
	target_list = factories.make_list("Drip Test Hundred")
	contacts = [factories.make_contact() for _ in range(100)]
	frappe.db.commit()

	with factories.count_statements() as seen:
		answer = add(target_list, contacts)

	assert answer["joined"] == 100
	assert seen.count < 40
