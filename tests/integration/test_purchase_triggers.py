"""Purchases enroll: whose, which, and by which document. With ERPNext its own, elsewhere stand-ins."""

import json

import frappe
import pytest

from drip_campaigns.triggers import backfill
from tests import factories, sales, stand_ins
from tests.trigger_steps import enrolled, make_campaign, outcomes, trigger, work_off


@pytest.fixture(autouse=True)
def shop(site):
	"""Items in a tree of groups: Books with Novels below it, and Toys."""
	with stand_ins.present(*stand_ins.SALES):
		books = sales.make_item_group("Drip Test Books", left=1, right=4)
		novels = sales.make_item_group("Drip Test Novels", books, left=2, right=3)
		toys = sales.make_item_group("Drip Test Toys", left=5, right=6)
		sales.make_item("Drip Test Novel", novels)
		sales.make_item("Drip Test Ball", toys)
		frappe.db.commit()
		yield
		factories.clear_site()


@pytest.fixture
def clock():
	from drip_campaigns.site.clock import utc_now
	from tests.fakes import Clock

	return Clock(utc_now())


def bought(**fields) -> dict:
	return trigger("Purchase", **{"recipient_type": "Contact", "purchase_document": "Sales Order", **fields})


def contact_of(customer: str, **fields) -> str:
	links = [{"link_doctype": "Customer", "link_name": customer}]
	return factories.make_contact(links=links, **fields).name


def test_any_purchase_this_item_and_this_group_fire_for_what_was_bought(clock):
	any_campaign = make_campaign(clock, bought())
	novel = make_campaign(clock, bought(purchased="Item", purchased_name="Drip Test Novel"))
	books = make_campaign(clock, bought(purchased="Item Group", purchased_name="Drip Test Books"))
	reader, player = sales.make_customer(), sales.make_customer()
	ada, bob = contact_of(reader), contact_of(player)

	sales.sell("Sales Order", reader, "Drip Test Novel", ada)
	sales.sell("Sales Order", player, "Drip Test Ball", bob)
	work_off(clock)

	assert sorted(enrolled(any_campaign)) == sorted([ada, bob])
	assert enrolled(novel) == enrolled(books) == [ada]
	assert "No record to enroll" in outcomes(novel)


def test_order_that_is_only_saved_is_no_purchase_and_one_that_is_saved_again_is_one(clock):
	campaign = make_campaign(clock, bought())
	customer = sales.make_customer()
	ada = contact_of(customer)
	order = sales.sell("Sales Order", customer, "Drip Test Novel", ada)
	draft = frappe.copy_doc(order)
	draft.insert()
	order.reload().db_set("modified_by", "Administrator")
	work_off(clock)

	assert enrolled(campaign) == [ada]
	assert factories.count("Drip Trigger Firing", campaign=campaign.name) == 1


def test_invoice_and_payment_lead_to_the_customers_person(clock):
	invoiced = make_campaign(clock, bought(purchase_document="Sales Invoice"))
	paid = make_campaign(
		clock,
		bought(purchase_document="Payment Entry", purchased="Item Group", purchased_name="Drip Test Books"),
	)
	customer = sales.make_customer()
	ada = contact_of(customer)

	invoice = sales.sell("Sales Invoice", customer, "Drip Test Novel")
	work_off(clock)
	assert (enrolled(invoiced), enrolled(paid)) == ([ada], [])
	sales.pay(invoice)
	work_off(clock)

	assert enrolled(paid) == [ada]


def test_person_of_a_purchase_is_found_by_the_documented_rule(clock):
	campaign = make_campaign(clock, bought(recipient_type=None))
	named, primary, lead_of = sales.make_customer(), sales.make_customer(), factories.make_lead("Lea")
	converted = sales.make_customer(lead_name=lead_of.name)
	other, ada, bob, first = contact_of(named), contact_of(named), contact_of(primary), contact_of(primary)
	frappe.db.set_value("Customer", primary, "customer_primary_contact", bob)
	frappe.db.commit()

	sales.sell("Sales Order", named, "Drip Test Ball", ada)
	sales.sell("Sales Order", primary, "Drip Test Ball")
	sales.sell("Sales Order", converted, "Drip Test Ball")
	work_off(clock)

	# ERPNext makes a Contact of a Lead that becomes a Customer; elsewhere the Lead itself is enrolled.
	addresses = frappe.get_all("Drip Enrollment", filters={"campaign": campaign.name}, pluck="email_address")
	named_address, primary_address = (frappe.db.get_value("Contact", name, "email_id") for name in (ada, bob))
	assert set(addresses) == {named_address, primary_address, lead_of.email_id}
	assert {other, first}.isdisjoint(enrolled(campaign))


def test_customer_itself_can_be_the_recipient(clock):
	campaign = make_campaign(clock, bought(recipient_type="Customer"))
	customer = sales.make_customer()
	contact_of(customer)

	sales.sell("Sales Order", customer, "Drip Test Ball")
	work_off(clock)

	assert enrolled(campaign) == [customer]


@pytest.mark.parametrize(
	("purchased", "name", "expected"),
	[
		("Item", "Drip Test Novel", 1),
		("Item Group", "Drip Test Books", 1),
		("Item", "Drip Test Ball", 0),
		("", "", 1),
	],
)
def test_who_has_paid_for_an_item_before_is_counted_and_taken_in(clock, purchased, name, expected):
	customer = sales.make_customer(email_id=f"buyer@{factories.DOMAIN}")
	if sales.is_real():
		contact_of(customer)
	sales.pay(sales.sell("Sales Invoice", customer, "Drip Test Novel"))
	row = bought(
		recipient_type="Customer",
		purchase_document="Payment Entry",
		purchased=purchased,
		purchased_name=name,
		filters=json.dumps([["Customer", "name", "=", customer]]),
	)
	campaign = make_campaign(clock, row)

	counts = [found["count"] for found in backfill.count_existing(campaign)]
	audience = backfill.ExistingAudience(campaign.name, campaign.triggers[0].name, "Customer")

	assert sum(counts) == expected
	assert [name for names in audience.pages(10) for name in names] == [customer] * expected


def test_purchase_trigger_without_erpnext_is_refused_with_the_reason(site, clock):
	campaign = factories.make_campaign(triggers=[bought()])
	if sales.is_real():
		pytest.skip("ERPNext is here")
	stand_ins.remove("Sales Order")

	with pytest.raises(frappe.ValidationError, match="This site has no Sales Order records"):
		campaign.save()
