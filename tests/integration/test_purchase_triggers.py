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

	counts = [found["count"] for found in backfill.count_existing(campaign, clock.now)]
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


def test_amended_order_is_the_same_purchase_however_often_it_is_amended(clock):
	campaign = make_campaign(clock, bought(), re_enrollment="Restart", reenroll_after_days=0)
	ada = contact_of(customer := sales.make_customer())
	order = sales.sell("Sales Order", customer, "Drip Test Novel", ada)
	work_off(clock)

	sales.amend(sales.amend(order))
	work_off(clock)

	assert enrolled(campaign) == [ada] and outcomes(campaign) == ["Enrolled"]
	assert backfill.count_existing(campaign, clock.now) == []  # nobody else has bought


def test_order_from_before_the_trigger_is_no_purchase_when_it_is_amended(clock):
	ada = contact_of(customer := sales.make_customer())
	order = sales.sell("Sales Order", customer, "Drip Test Novel", ada)
	campaign = make_campaign(clock, bought())

	sales.amend(order)
	work_off(clock)

	assert enrolled(campaign) == []


@pytest.mark.parametrize("when", ["before it is due", "after it was due"])
def test_canceled_order_is_no_purchase_until_it_is_amended(clock, when):
	campaign = make_campaign(clock, bought(delay_hours=2))
	ada = contact_of(customer := sales.make_customer())
	order = sales.sell("Sales Order", customer, "Drip Test Novel", ada)
	order.cancel()
	if when == "after it was due":
		clock.advance(hours=3)
		work_off(clock)
		assert enrolled(campaign) == [] and outcomes(campaign) == ["No record to enroll"]
		assert backfill.count_existing(campaign, clock.now) == []

	amended = frappe.copy_doc(order)
	amended.update({"amended_from": order.name, "docstatus": 0})
	amended.insert().submit()
	clock.advance(hours=6)
	work_off(clock)

	assert enrolled(campaign) == [ada] and factories.count("Drip Trigger Firing", campaign=campaign.name) == 1


def test_payment_of_a_canceled_invoice_buys_nothing(clock):
	campaign = make_campaign(
		clock, bought(purchase_document="Payment Entry", purchased="Item", purchased_name="Drip Test Novel")
	)
	ada = contact_of(customer := sales.make_customer())
	invoice = sales.sell("Sales Invoice", customer, "Drip Test Novel")
	payment = sales.pay(invoice)
	frappe.db.set_value("Payment Entry", payment.name, "contact_person", ada)
	frappe.db.set_value("Sales Invoice", invoice.name, "docstatus", 2)
	frappe.db.set_value("Sales Invoice Item", {"parent": invoice.name}, "docstatus", 2)
	work_off(clock)

	assert enrolled(campaign) == [] and backfill.count_existing(campaign, clock.now) == []


def test_amended_order_reaches_a_goal_only_if_the_first_one_would(clock):
	early, late = sales.make_customer(), sales.make_customer()
	ada, bob = contact_of(early), contact_of(late)
	before = sales.sell("Sales Order", early, "Drip Test Novel", ada)
	campaign = make_campaign(clock, goal="Document Created", goal_document="Sales Order")
	for name in (ada, bob):
		factories.enroll(campaign, frappe.get_doc("Contact", name), clock)
	frappe.db.set_value("Sales Order", before.name, "creation", "2020-01-01 00:00:00")

	sales.amend(before)
	work_off(clock)
	statuses = [frappe.db.get_value("Drip Enrollment", {"recipient": name}, "status") for name in (ada, bob)]
	sales.amend(sales.sell("Sales Order", late, "Drip Test Novel", bob))
	work_off(clock)

	assert "Exited" not in statuses
	assert frappe.db.get_value("Drip Enrollment", {"recipient": bob}, "exit_reason") == "Goal"


MEMBERSHIP = [
	("email", "Data", "Email"), ("level", "Data", ""), ("ends_on", "Date", ""),
	("amended_from", "Link", "Drip Test Membership"),
]  # fmt: skip


@pytest.fixture
def membership(site):
	"""A DocType of the site whose documents are submitted and can be enrolled."""
	doctype = "Drip Test Membership"
	permissions = [
		{
			"role": "System Manager",
			"read": 1,
			"write": 1,
			"create": 1,
			"submit": 1,
			"cancel": 1,
			"amend": 1,
			"delete": 1,
		}
	]
	stand_ins.make(doctype, MEMBERSHIP, is_submittable=1, permissions=permissions)
	settings = frappe.get_doc("Drip Settings")
	settings.append("recipient_types", {"document_type": doctype, "address_field": "email"})
	settings.save()
	frappe.db.commit()
	yield doctype
	frappe.db.rollback()
	factories.clear_site()
	rows = frappe.get_meta("Drip Settings").get_field("recipient_types").options
	frappe.db.delete(rows, {"document_type": doctype})
	frappe.db.commit()
	stand_ins.remove(doctype)


def test_amended_record_is_neither_created_again_nor_given_its_value_again(membership, clock):
	triggers = [
		trigger("Record Created", recipient_type=membership),
		trigger("Field Reached Value", recipient_type=membership, field_name="level", field_value="Gold"),
	]
	campaign = make_campaign(clock, *triggers)
	first = frappe.get_doc(doctype=membership, email="ada@example.com", level="Gold").insert()
	first.submit()
	work_off(clock)

	amended = sales.amend(first)
	work_off(clock)

	assert enrolled(campaign) == [first.name]
	assert factories.count("Drip Trigger Firing", campaign=campaign.name) == 2
	assert backfill.count_existing(campaign, clock.now) == []
	amended.cancel()
	assert backfill.count_existing(campaign, clock.now) == []
