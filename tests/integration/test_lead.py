"""Leads as recipients: on sites with ERPNext."""

import frappe
import pytest

from drip_campaigns.core.errors import DripError
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.rendering.links import Links
from tests import factories, verbs
from tests.factories import DOMAIN, step
from tests.web import Browser


@pytest.fixture(autouse=True)
def with_erpnext(site):
	if not frappe.db.exists("DocType", "Lead"):
		pytest.skip("needs ERPNext")


@pytest.fixture
def convert():
	"""Make a Customer of a Lead as the Lead's form does; gone after the test."""
	if "erpnext" not in frappe.get_installed_apps():
		pytest.skip("needs ERPNext")
	from erpnext.crm.doctype.lead.lead import make_customer

	made = []

	def make(lead):
		made.append(make_customer(lead.name).insert())
		frappe.db.commit()
		return made[-1]

	yield make
	frappe.db.rollback()
	for customer in made:
		contacts = frappe.get_all(
			"Dynamic Link",
			{"link_doctype": "Customer", "link_name": customer.name, "parenttype": "Contact"},
			pluck="parent",
		)
		customer.db_set("customer_primary_contact", None)
		for name in contacts:
			frappe.delete_doc("Contact", name, force=True)
		frappe.delete_doc("Customer", customer.name, force=True)
	frappe.db.commit()


def test_lead_is_a_recipient_type(site):
	assert "Lead" in available_types()


def test_lead_gets_its_series_and_shows_it_on_its_timeline(site, smtp, clock):
	lead = factories.make_lead("Ada", f"ada@{DOMAIN}", last_name="Lovelace", company_name="Engines")
	text = "<p>{{ recipient.first_name }}|{{ recipient.full_name }}|{{ recipient.company }}|{{ doc.lead_name }}</p>"
	campaign = factories.make_active_campaign(clock, step(0, message=text), step(2, message=text))
	enrollment = factories.enroll(campaign, lead, clock)

	for _ in range(4):
		factories.run(clock)
		clock.advance(days=1)

	assert [message.recipient for message in smtp.messages] == [f"ada@{DOMAIN}"] * 2
	assert "Ada|Ada Lovelace|Engines|Ada Lovelace" in smtp.messages[0].part("plain")
	assert enrollment.reload().status == "Completed"
	links = frappe.get_all(
		"Communication Link", filters={"link_doctype": "Lead", "link_name": lead.name}, pluck="parent"
	)
	assert len(links) == 2


def test_lead_enrolled_by_the_form_is_like_any_other(site, clock):
	campaign = factories.make_active_campaign(clock)
	lead = factories.make_lead("Ada")

	made = frappe.get_doc(
		doctype="Drip Enrollment", campaign=campaign.name, recipient_type="Lead", recipient=lead.name
	).insert()

	assert (made.recipient_name, made.email_address, made.status) == (
		lead.lead_name,
		lead.email_id,
		"In Progress",
	)


@pytest.mark.parametrize(
	("fields", "said"),
	[
		({"status": "Do Not Contact"}, "has a status that forbids email"),
		({"status": "Converted"}, "has a status that forbids email"),
		({"disabled": 1}, "is disabled"),
		({"unsubscribed": 1}, "is marked as unsubscribed"),
	],
	ids=str,
)
def test_lead_that_must_not_be_written_to_is_not_enrolled_and_ends_if_it_is(site, smtp, clock, fields, said):
	campaign = factories.make_active_campaign(clock)
	before, after = factories.make_lead("Before"), factories.make_lead("After")
	enrollment = factories.enroll(campaign, before, clock)
	for lead in (before, after):
		frappe.db.set_value("Lead", lead.name, fields)
	frappe.db.commit()

	with pytest.raises((DripError, frappe.ValidationError)) as caught:
		verbs.enroll(campaign.name, "Lead", after.name, clock.now)
	frappe.db.rollback()
	factories.run(clock)

	assert f"Lead {after.name} {said}. Change the record if this is wrong." in str(caught.value)
	assert (enrollment.reload().status, enrollment.exit_reason) == ("Exited", "Suppressed")
	assert smtp.messages == []


def test_lead_and_contact_with_one_address_are_one_person(site, clock):
	campaign = factories.make_active_campaign(clock)
	factories.enroll(campaign, factories.make_lead("Ada", f"ada@{DOMAIN}"), clock)
	contact = factories.make_contact("Ada", f"Ada@{DOMAIN}")

	with pytest.raises(frappe.UniqueValidationError) as caught:
		factories.enroll(campaign, contact, clock)

	assert "has the same address as another record in the campaign" in str(caught.value)


def test_lead_and_contact_with_one_address_leave_together(web, smtp, clock):
	lead, contact = (
		factories.make_lead("Ada", f"ada@{DOMAIN}"),
		factories.make_contact("Ada", f"Ada@{DOMAIN}"),
	)
	enrollments = [
		factories.enroll(factories.make_active_campaign(clock, unsubscribe_scope=scope), record, clock)
		for scope, record in (("Everything from This Sender", lead), ("", contact))
	]
	factories.run(clock)
	clock.advance(days=2)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	answer = Browser(web).post(Links().unsubscribe(enrollments[0].name), {"List-Unsubscribe": "One-Click"})
	frappe.db.rollback()

	assert answer.status == 200
	assert [row.reload().status for row in enrollments] == ["Unsubscribed"] * 2
	assert [record.reload().unsubscribed for record in (lead, contact)] == [1, 1]
	clock.advance(days=2)
	factories.run(clock)
	assert len(smtp.messages) == 2


@pytest.mark.parametrize("scope", ["campaign", "everything"])
def test_lead_that_left_stays_away_as_a_customer(web, smtp, clock, scope, convert):
	campaign, other = factories.make_active_campaign(clock), factories.make_active_campaign(clock)
	lead = factories.make_lead("Ada", f"ada@{DOMAIN}")
	enrollment = factories.enroll(campaign, lead, clock)
	Browser(web).post(Links().unsubscribe(enrollment.name), {"action": "leave", "scope": scope})
	frappe.db.rollback()

	customer = convert(lead)
	contact = factories.make_contact("Ada", f"Ada@{DOMAIN}")

	for record in (customer, contact):
		with pytest.raises((DripError, frappe.ValidationError), match="unsubscribed|opted out"):
			factories.enroll(campaign, record, clock)
	assert contact.unsubscribed == (scope == "everything")
	if scope == "everything":
		with pytest.raises((DripError, frappe.ValidationError), match="opted out"):
			factories.enroll(other, customer, clock)
	else:
		factories.enroll(other, customer, clock)


def test_link_to_a_lead_works_after_it_became_a_customer_and_ends_what_the_customer_gets(
	web, smtp, clock, convert
):
	lead = factories.make_lead("Ada", f"ada@{DOMAIN}")
	before = factories.enroll(factories.make_active_campaign(clock), lead, clock)
	factories.run(clock)
	customer = convert(lead)
	after = factories.enroll(factories.make_active_campaign(clock), customer, clock)

	Browser(web).post(Links().unsubscribe(before.name), {"action": "leave", "scope": "everything"})
	frappe.db.rollback()
	clock.advance(days=2)
	factories.run(clock)

	assert after.reload().status == "Unsubscribed"
	assert len(smtp.messages) == 1


def test_lead_that_was_deleted_ends_its_enrollment(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	lead = factories.make_lead("Gone")
	enrollment = factories.enroll(campaign, lead, clock)
	frappe.delete_doc("Lead", lead.name, force=True)
	frappe.db.commit()

	factories.run(clock)

	assert smtp.messages == []
	assert (enrollment.reload().status, enrollment.exit_reason) == ("Exited", "Recipient Deleted")


def test_lead_without_an_address_is_refused_with_the_remedy(site, clock):
	campaign = factories.make_active_campaign(clock)
	lead = factories.make_lead("Ada")
	frappe.db.set_value("Lead", lead.name, "email_id", None)

	with pytest.raises((DripError, frappe.ValidationError)) as caught:
		verbs.enroll(campaign.name, "Lead", lead.name, clock.now)

	assert f"Lead {lead.name} has no email address. Enter one in the record." in str(caught.value)


def test_e_mail_to_the_contact_of_a_customer_stands_on_the_customers_timeline(site, smtp, clock):
	customer = frappe.get_doc(
		doctype="Customer", customer_name="Drip Test Customer", customer_type="Company"
	).insert()
	contact = factories.make_contact("Ada", links=[{"link_doctype": "Customer", "link_name": customer.name}])
	campaign = factories.make_active_campaign(clock, step(0))

	try:
		factories.enroll(campaign, contact, clock)
		factories.run(clock)
		links = frappe.get_all(
			"Communication Link",
			filters={"link_doctype": "Customer", "link_name": customer.name},
			pluck="parent",
		)
	finally:
		frappe.delete_doc("Contact", contact.name, force=True)
		frappe.delete_doc("Customer", customer.name, force=True)
		frappe.db.commit()

	assert len(links) == 1
