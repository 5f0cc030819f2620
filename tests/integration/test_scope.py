"""Whose records a campaign may take in: what its owner may read, whatever the site restricts it by."""

import frappe
import pytest
from frappe.desk.form import assign_to

from drip_campaigns.core.errors import DripError
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.people.record_scope import filter_readable
from tests import factories, verbs

SELLER = "seller"


@pytest.fixture
def seller(site):
	user = factories.make_user(SELLER, "Drip User")
	yield user
	frappe.db.rollback()
	frappe.db.delete("User Permission", {"user": user})
	frappe.db.delete("DocShare", {"user": user})
	frappe.db.delete("ToDo", {"allocated_to": user})
	frappe.clear_cache(user=user)
	frappe.db.commit()


@pytest.fixture
def contacts(site):
	return [factories.make_contact(name).name for name in ("Ada", "Grace", "Mary")]


def test_who_may_read_everything_has_everything_that_is_there(contacts):
	assert filter_readable("Administrator", "Contact", [*contacts, "drip-no-such-contact"]) == set(contacts)


def test_user_without_the_right_has_only_what_is_assigned(seller, contacts):
	assign_to.add({"assign_to": [seller], "doctype": "Contact", "name": contacts[1]})

	assert filter_readable(seller, "Contact", contacts) == {contacts[1]}


def test_todo_that_a_user_makes_for_themselves_opens_no_record(seller, contacts):
	frappe.set_user(seller)
	frappe.get_doc(
		doctype="ToDo",
		allocated_to=seller,
		reference_type="Contact",
		reference_name=contacts[0],
		description="call",
	).insert()

	assert filter_readable(seller, "Contact", contacts) == set()
	assert not frappe.has_permission("Contact", "read", doc=contacts[0])


def test_right_to_select_is_no_right_to_read(seller, contacts):
	"""Every user of Desk may select users in a link field."""
	other = factories.make_user("colleague", "Drip User")
	assert frappe.get_list("User", filters={"name": other}, user=seller)

	assert filter_readable(seller, "User", [other]) == set()
	assert not frappe.has_permission("User", "read", doc=other, user=seller)
	frappe.share.add("User", other, seller, read=1)
	assert filter_readable(seller, "User", [other]) == {other}


def test_user_permission_limits_whose_contacts_are_taken(seller, contacts):
	frappe.get_doc("User", seller).add_roles(
		"Sales User" if frappe.db.exists("Role", "Sales User") else "System Manager"
	)
	frappe.get_doc(doctype="User Permission", user=seller, allow="Contact", for_value=contacts[0]).insert()
	frappe.clear_cache(user=seller)

	assert filter_readable(seller, "Contact", contacts) == {contacts[0]}


def test_assignment_of_a_deleted_record_is_nothing(seller, contacts):
	assign_to.add({"assign_to": [seller], "doctype": "Contact", "name": contacts[0]})
	frappe.db.delete("Contact", {"name": contacts[0]})

	assert filter_readable(seller, "Contact", contacts) == set()


def test_shared_record_counts(seller, contacts):
	frappe.share.add("Contact", contacts[2], seller, read=1)

	assert filter_readable(seller, "Contact", contacts) == {contacts[2]}


def test_only_if_creator_means_own_records(site, seller):
	own, other = factories.make_contact("Own"), factories.make_contact("Other")
	own.db_set("owner", seller)
	role = frappe.get_doc(doctype="Role", role_name="Drip Test Own Contacts").insert(ignore_if_duplicate=True)
	frappe.get_doc(
		doctype="Custom DocPerm", parent="Contact", role=role.name, permlevel=0, read=1, if_owner=1
	).insert()
	frappe.get_doc("User", seller).add_roles(role.name)
	frappe.clear_cache(doctype="Contact")
	frappe.clear_cache(user=seller)

	try:
		found = filter_readable(seller, "Contact", [own.name, other.name])
	finally:
		frappe.db.rollback()
		frappe.clear_cache(doctype="Contact")
		frappe.clear_cache(user=seller)

	assert found == {own.name}


def test_batch_costs_no_more_statements_than_one_record(seller, contacts):
	filter_readable(seller, "Contact", contacts)

	with factories.count_statements() as one:
		filter_readable(seller, "Contact", contacts[:1])
	with factories.count_statements() as three:
		filter_readable(seller, "Contact", contacts)

	assert three.count == one.count


def test_nobody_is_asked_about_nothing(site):
	assert filter_readable("Administrator", "Contact", []) == set()


@pytest.fixture
def sellers_campaign(seller, clock):
	"""An active campaign that belongs to a user who may read no Contact but one that is assigned."""
	campaign = factories.make_active_campaign(clock)
	campaign.db_set("owner", seller)
	frappe.db.commit()
	return campaign


def assign(contact: str, user: str) -> None:
	assign_to.add({"assign_to": [user], "doctype": "Contact", "name": contact})
	frappe.db.commit()


def test_campaign_takes_in_only_what_its_owner_may_read(sellers_campaign, seller, contacts, clock):
	assign(contacts[0], seller)

	results = list(enroll_many(sellers_campaign.name, "Contact", contacts, clock.now))

	assert results[0].enrolled == 1
	assert dict(results[0].refused) == {
		f"Is outside what {seller}, the owner of campaign {sellers_campaign.name}, may read": 2
	}


def test_one_record_outside_the_owners_scope_is_refused_with_the_remedy(
	sellers_campaign, seller, contacts, clock
):
	with pytest.raises((DripError, frappe.ValidationError)) as caught:
		verbs.enroll(sellers_campaign.name, "Contact", contacts[1], clock.now)

	assert f"is outside what {seller}, the owner of campaign" in str(caught.value)
	assert f"Share the record with {seller} first." in str(caught.value)


def test_one_record_that_is_assigned_is_enrolled(sellers_campaign, seller, contacts, clock):
	assign(contacts[1], seller)

	enrollment = verbs.enroll(sellers_campaign.name, "Contact", contacts[1], clock.now)

	assert enrollment.status == "In Progress"
