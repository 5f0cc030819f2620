"""Rows about a person are seen and changed by users who may read the record, and reach the campaign or the list."""

import json

import frappe
import frappe.client
import pytest

from drip_campaigns import hooks
from drip_campaigns.api import desk
from drip_campaigns.api import enrollments as verbs_api
from drip_campaigns.api import lists as lists_api
from drip_campaigns.jobs import bulk_verbs
from drip_campaigns.people import row_rights
from tests import factories
from tests.factories import DOMAIN
from tests.matrix_site import own_doctypes

PERSONAL = ("email_address", "recipient", "record", "address_hash", "source_file")


@pytest.fixture
def seller(site):
	"""A Drip User who may read only the contacts that they created: the right of every user of Frappe."""
	return factories.make_user("row-seller", "Drip User")


@pytest.fixture
def sellers_campaign(seller, clock):
	"""A campaign of `seller` with one person whom they may read, Own, and one whom they may not, Hidden."""
	campaign = factories.make_active_campaign(clock)
	campaign.db_set("owner", seller)
	for name, owner in (("Own", seller), ("Hidden", "Administrator")):
		contact = factories.make_contact(name, f"{name.lower()}@{DOMAIN}")
		contact.db_set("owner", owner)
		campaign.db_set("owner", "Administrator")
		factories.enroll(campaign, contact, clock)
		campaign.db_set("owner", seller)
	frappe.db.commit()
	factories.run(clock)
	return campaign


def enrollment_of(name: str) -> str:
	return frappe.db.get_value("Drip Enrollment", {"email_address": f"{name}@{DOMAIN}"})


@pytest.mark.parametrize("doctype", ["Drip Enrollment", "Drip Email", "Drip Event"])
def test_list_report_and_count_show_only_people_whom_the_user_may_read(sellers_campaign, seller, doctype):
	frappe.set_user(seller)

	listed = frappe.get_list(doctype, pluck="email_address")

	assert set(listed) == {f"own@{DOMAIN}"}
	assert frappe.client.get_count(doctype) == len(listed)


@pytest.mark.parametrize("doctype", ["Drip Enrollment", "Drip Email", "Drip Event"])
def test_form_of_a_row_about_a_hidden_record_cannot_be_opened(sellers_campaign, seller, doctype):
	names = {
		name: frappe.db.get_value(doctype, {"email_address": f"{name}@{DOMAIN}"})
		for name in ("own", "hidden")
	}
	frappe.set_user(seller)

	assert frappe.client.get(doctype, names["own"])["email_address"] == f"own@{DOMAIN}"
	with pytest.raises(frappe.PermissionError):
		frappe.client.get(doctype, names["hidden"])


def test_verb_on_many_changes_only_people_whom_the_user_may_read(sellers_campaign, seller):
	both = [enrollment_of("own"), enrollment_of("hidden")]
	frappe.set_user(seller)

	answer = verbs_api.change_enrollments("Pause", json.dumps(both))

	assert answer["done"] == 1
	statuses = frappe.get_all("Drip Enrollment", fields=["email_address", "status"], as_list=True)
	assert dict(statuses) == {f"own@{DOMAIN}": "Paused", f"hidden@{DOMAIN}": "In Progress"}


def test_verb_on_a_step_changes_only_people_whom_the_user_may_read(sellers_campaign, seller):
	step = sellers_campaign.steps[1].name
	frappe.set_user(seller)

	assert verbs_api.count_at_step(sellers_campaign.name, step) == 1
	assert verbs_api.change_enrollments_at_step(sellers_campaign.name, step, "Remove")["done"] == 1


def test_rest_of_a_verb_asks_for_the_rights_again(sellers_campaign, seller, monkeypatch):
	both = [enrollment_of("own"), enrollment_of("hidden")]
	frappe.db.commit()
	frappe.set_user(seller)

	bulk_verbs.run(both, "Remove", None, None, 0, {})

	assert frappe.db.get_value("Drip Enrollment", both[1], "status") == "In Progress"
	assert frappe.db.get_value("Drip Enrollment", both[0], "status") != "In Progress"


@pytest.mark.parametrize("method", ["pause_enrollment", "remove_enrollment", "get_enrollment_schedule"])
def test_verb_on_a_person_of_another_users_campaign_is_refused(sellers_campaign, method):
	name = enrollment_of("own")
	frappe.set_user(factories.make_user("row-other", "Drip User", "Sales User"))

	with pytest.raises(frappe.PermissionError):
		getattr(desk, method)(name)


def test_user_sees_and_changes_whom_they_enrolled_in_a_campaign_of_another(sellers_campaign):
	other = factories.make_user("row-other", "Drip User", "Sales User")
	frappe.db.set_value("Drip Enrollment", enrollment_of("hidden"), "owner", other)
	frappe.set_user(other)

	assert frappe.get_list("Drip Enrollment", pluck="email_address") == [f"hidden@{DOMAIN}"]
	assert set(frappe.get_list("Drip Event", pluck="email_address")) == {f"hidden@{DOMAIN}"}
	assert set(frappe.get_list("Drip Email", pluck="email_address")) == {f"hidden@{DOMAIN}"}
	desk.pause_enrollment(enrollment_of("hidden"))


def test_manager_sees_everybody_whom_they_may_read(sellers_campaign):
	frappe.set_user(factories.make_user("row-manager", "Drip Manager", "Sales User"))

	assert len(frappe.get_list("Drip Enrollment")) == 2


def test_user_who_may_read_nobody_sees_nobody(sellers_campaign):
	frappe.set_user(factories.make_user("row-blind-manager", "Drip Manager"))

	assert frappe.get_list("Drip Enrollment") == []
	assert frappe.get_list("Drip Email") == []
	assert [row for row in frappe.get_list("Drip Event", pluck="email_address") if row] == []


def test_names_with_percent_signs_and_quotes_are_only_names(site, seller, clock):
	campaign = factories.make_active_campaign(clock, name="Drip Test 50% off 'now' \\")
	campaign.db_set("owner", seller)
	contact = factories.make_contact("Own", f"own@{DOMAIN}")
	contact.db_set("owner", seller)
	factories.enroll(campaign, contact, clock)
	frappe.set_user(seller)

	assert frappe.get_list("Drip Enrollment", filters={"status": "In Progress"}, pluck="email_address")
	assert len(frappe.get_list("Drip Enrollment")) == 1


def test_event_about_an_address_alone_is_for_those_who_work_with_addresses(sellers_campaign, seller):
	frappe.get_doc(
		doctype="Drip Event",
		name="drip-test-event",
		event_type="Unsubscribed",
		campaign=sellers_campaign.name,
		email_address=f"alone@{DOMAIN}",
	).db_insert()
	listed = {}
	for user in (seller, factories.make_user("row-manager", "Drip Manager", "Sales User")):
		frappe.set_user(user)
		listed[user] = f"alone@{DOMAIN}" in frappe.get_list("Drip Event", pluck="email_address")

	assert list(listed.values()) == [False, True]


def test_suppression_is_seen_by_who_sees_an_enrollment_of_the_address(sellers_campaign, seller):
	for name in ("own", "hidden", "stranger"):
		address = f"{name}@{DOMAIN}"
		frappe.get_doc(
			doctype="Drip Suppression", name=name, address_hash=name, email_address=address
		).db_insert()
	frappe.set_user(seller)

	assert frappe.get_list("Drip Suppression", pluck="email_address") == [f"own@{DOMAIN}"]


def test_undoing_an_opt_out_of_a_list_needs_what_resubscribing_needs(site, seller):
	contact = factories.make_contact("Own", f"own@{DOMAIN}")
	contact.db_set("owner", seller)
	target_list = factories.make_list("", contact)
	target_list.db_set("owner", seller)
	[member] = frappe.get_all("Drip Target List Member", pluck="name")
	frappe.set_user(seller)

	lists_api.remove_from_list(member, "They asked me.")
	with pytest.raises(frappe.PermissionError):
		lists_api.restore_to_list(member, "They asked me.")

	assert frappe.db.get_value("Drip Target List Member", member, "opted_out") == 1


def test_text_of_an_email_is_opened_by_who_may_read_the_record(sellers_campaign, seller):
	texts = {
		row.email_address.partition("@")[0]: frappe.get_doc("Communication", row.communication)
		for row in frappe.get_all("Drip Email", fields=["email_address", "communication"])
	}
	other = factories.make_user("row-other", "Drip User")

	assert not any(
		frappe.has_permission("Communication", "read", doc=one, user=other) for one in texts.values()
	)
	assert not frappe.has_permission("Communication", "read", doc=texts["hidden"], user=seller)
	frappe.set_user(seller)
	assert frappe.get_list("Communication", filters={"name": texts["hidden"].name}) == []


def test_every_doctype_with_people_has_a_rule(site):
	"""A new DocType with an address or a record needs a rule in row_rights, or is for Drip Managers only."""
	personal = {
		doctype
		for doctype in own_doctypes()
		if any(frappe.get_meta(doctype).has_field(field) for field in PERSONAL)
		and frappe.get_meta(doctype).get("permissions", {"role": "Drip User"})
	}

	assert personal == set(row_rights.DOCTYPES)
	assert set(hooks.permission_query_conditions) == set(hooks.has_permission) == set(row_rights.DOCTYPES)
