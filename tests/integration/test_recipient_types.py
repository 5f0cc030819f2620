"""Who can be enrolled, and where each kind of record keeps its facts: ERPNext's by stand-ins where it is not."""

import frappe
import pytest

from drip_campaigns.api import boot
from drip_campaigns.campaign import lifecycle
from drip_campaigns.campaign.lifecycle import CampaignProblemError
from drip_campaigns.core.errors import DripError
from drip_campaigns.people.recipient_types import BUILT_IN, UnknownRecipientTypeError, available_types
from drip_campaigns.people.recipients import load_recipients
from tests import factories, stand_ins
from tests.factories import DOMAIN, step

CUSTOM = "Drip Test Member"
CUSTOM_FIELDS = [
	("mail", "Data", "Email"),
	("member_name", "Data", ""),
	("zone", "Data", ""),
	("tongue", "Link", "Language"),
	("looked_after_by", "Link", "User"),
	("no_mail", "Check", ""),
]
ROW = {
	"document_type": CUSTOM,
	"address_field": "mail",
	"name_field": "member_name",
	"time_zone_field": "zone",
	"language_field": "tongue",
	"owner_field": "looked_after_by",
	"forbidding_field": "no_mail",
}


@pytest.fixture(scope="module", autouse=True)
def erpnext_doctypes(connected_site):
	with stand_ins.present(
		"Lead",
		"Customer",
		"Prospect Lead",
		"Prospect",
		"Opportunity",
		"Supplier",
		"Employee",
		"CRM Lead Status",
		"CRM Deal Status",
		"CRM Lead",
		"CRM Contacts",
		"CRM Deal",
	):
		yield


@pytest.fixture
def custom_type(site):
	stand_ins.make(CUSTOM, CUSTOM_FIELDS)
	name_types(ROW)
	yield CUSTOM
	frappe.db.rollback()
	name_types()
	stand_ins.remove(CUSTOM)


def name_types(*rows: dict) -> None:
	settings = frappe.get_doc("Drip Settings")
	settings.set("recipient_types", rows)
	settings.save()
	frappe.db.commit()


def insert(doctype: str, **fields):
	"""Insert a record past the checks of the app it belongs to, which want a company and a currency."""
	document = frappe.get_doc(doctype=doctype, **fields)
	document.flags.ignore_mandatory = document.flags.ignore_links = True
	document.set_new_name(set_name=fields.get("name"))
	document.db_insert()
	for child in document.get_all_children():
		child.db_insert()
	return document


def load(record):
	return load_recipients(record.doctype, [record.name])[record.name]


def contact_of(record, first_name: str, address: str, **fields):
	links = [{"link_doctype": record.doctype, "link_name": record.name}]
	return factories.make_contact(first_name, address, links=links, **fields)


def test_types_of_this_site_are_those_that_are_installed(site):
	types = available_types()

	assert types[:3] == ["Contact", "User", "Email Group Member"]
	assert {"Lead", "Customer", "Opportunity", "Prospect", "Supplier", "Employee"} <= set(types)
	assert set(types) <= set(BUILT_IN)


def test_member_of_an_email_group_gets_the_series_until_the_list_is_left(site, smtp, clock):
	group = frappe.get_doc(doctype="Email Group", title="Drip Test Group").insert()
	member = frappe.get_doc(
		doctype="Email Group Member", email_group=group.name, email=f"member@{DOMAIN}"
	).insert()
	campaign = factories.make_active_campaign(clock, step(0), step(1))

	try:
		enrollment = factories.enroll(campaign, member, clock)
		factories.run(clock)
		member.db_set("unsubscribed", 1)
		frappe.db.commit()
		clock.advance(days=1)
		factories.run(clock)
	finally:
		frappe.delete_doc("Email Group Member", member.name, force=True)
		frappe.delete_doc("Email Group", group.name, force=True)
		frappe.db.commit()

	assert [message.recipient for message in smtp.messages] == [f"member@{DOMAIN}"]
	assert enrollment.reload().status == "Exited"


def test_customer_is_reached_by_the_primary_contact_as_it_is_now(site):
	customer = insert("Customer", customer_name="Engines", email_id=f"old@{DOMAIN}")
	contact = contact_of(customer, "Ada", f"new@{DOMAIN}", last_name="Lovelace")
	customer.db_set("customer_primary_contact", contact.name)

	recipient = load(customer)

	assert (recipient.email, recipient.first_name, recipient.company) == (f"new@{DOMAIN}", "Ada", "Engines")
	assert recipient.full_name == "Ada Lovelace"


def test_customer_without_a_primary_contact_is_reached_by_one_who_can_be_written_to(site):
	customer = insert("Customer", customer_name="Engines")
	contact_of(customer, "No Address", None)
	contact_of(customer, "Gone", f"gone@{DOMAIN}", unsubscribed=1)
	contact_of(customer, "Fine", f"fine@{DOMAIN}")

	recipient = load(customer)

	assert (recipient.email, recipient.stopped_because) == (f"fine@{DOMAIN}", None)


def test_unsubscribed_primary_contact_forbids_mail_to_the_customer(site, clock):
	customer = insert("Customer", customer_name="Engines")
	contact = contact_of(customer, "Gone", f"gone@{DOMAIN}", unsubscribed=1)
	customer.db_set("customer_primary_contact", contact.name)
	campaign = factories.make_active_campaign(clock)

	with pytest.raises((DripError, frappe.ValidationError)) as caught:
		factories.enroll(campaign, customer, clock)

	assert "is marked as unsubscribed. Change the record if this is wrong." in str(caught.value)


def test_prospect_is_reached_by_its_lead(site):
	lead = insert("Lead", name="DRIP-LEAD-1", lead_name="Ada", first_name="Ada", email_id=f"ada@{DOMAIN}")
	prospect = insert(
		"Prospect", name="Drip Engines", company_name="Drip Engines", leads=[{"lead": lead.name}]
	)

	recipient = load(prospect)

	assert (recipient.email, recipient.first_name, recipient.company) == (
		f"ada@{DOMAIN}",
		"Ada",
		"Drip Engines",
	)


def test_opportunity_goes_to_its_own_address_else_to_its_party(site):
	lead = insert("Lead", name="DRIP-LEAD-1", lead_name="Ada", email_id=f"ada@{DOMAIN}", status="Converted")
	party = {"opportunity_from": "Lead", "party_name": lead.name, "status": "Open"}
	own = insert("Opportunity", name="DRIP-OPP-1", contact_email=f"own@{DOMAIN}", **party)
	bare = insert("Opportunity", name="DRIP-OPP-2", **party)

	found = load_recipients("Opportunity", [own.name, bare.name])

	assert [found[name].email for name in (own.name, bare.name)] == [f"own@{DOMAIN}", f"ada@{DOMAIN}"]
	assert found[bare.name].stopped_because is None, "its Lead is converted, which ends the Lead's own mail"


@pytest.mark.parametrize(
	("doctype", "fields", "said"),
	[
		("Opportunity", {"status": "Lost"}, "has a status that forbids email"),
		("Opportunity", {"status": "Converted"}, "has a status that forbids email"),
		("Employee", {"status": "Left"}, "has a status that forbids email"),
		("Employee", {"unsubscribed": 1}, "is marked as unsubscribed"),
		("Supplier", {"disabled": 1}, "is disabled"),
		("Customer", {"disabled": 1}, "is disabled"),
		("Lead", {"status": "Do Not Contact"}, "has a status that forbids email"),
	],
	ids=str,
)
def test_flag_of_the_record_forbids_mail(site, doctype, fields, said):
	record = insert(doctype, name="DRIP-FLAGGED", **fields)

	assert load(record).stopped_because == said


def test_person_who_must_not_be_contacted_is_not_written_to_by_an_opportunity_either(site):
	lead = insert("Lead", name="DRIP-LEAD-1", email_id=f"ada@{DOMAIN}", status="Do Not Contact")
	record = insert("Opportunity", name="DRIP-OPP-1", opportunity_from="Lead", party_name=lead.name)

	assert load(record).stopped_because == "has a status that forbids email"


@pytest.mark.parametrize(
	("doctype", "field"),
	[
		("Lead", "lead_owner"),
		("Customer", "account_manager"),
		("Opportunity", "opportunity_owner"),
		("Prospect", "prospect_owner"),
	],
)
def test_owner_of_a_record_is_who_looks_after_it_else_who_made_it(site, doctype, field):
	seller = factories.make_user("seller", "Drip User")
	cared_for = insert(doctype, name="DRIP-OWNED", **{field: seller})
	own = insert(doctype, name="DRIP-UNOWNED")

	assert (load(cared_for).owner, load(own).owner) == (seller, "Administrator")


def test_batch_of_customers_costs_as_many_statements_as_one(site):
	customers = [insert("Customer", customer_name=f"Drip {n}", name=f"DRIP-CUST-{n}") for n in range(30)]
	for customer in customers:
		contact_of(customer, "Somebody", f"{customer.name}@{DOMAIN}")
	names = [customer.name for customer in customers]
	load_recipients("Customer", names[:1], whole=False)  # what is cached is cached

	with factories.count_statements() as one:
		load_recipients("Customer", names[:1], whole=False)
	with factories.count_statements() as all_of_them:
		found = load_recipients("Customer", names, whole=False)

	assert {recipient.email for recipient in found.values()} == {f"{name}@{DOMAIN}" for name in names}
	assert all_of_them.count == one.count


def test_doctype_that_settings_name_is_a_recipient_type(site, smtp, clock, custom_type):
	campaign = factories.make_active_campaign(
		clock, step(0, message="<p>{{ recipient.full_name }}|{{ doc.member_name }}</p>")
	)
	member = insert(
		CUSTOM, mail=f"ada@{DOMAIN}", member_name="Ada Lovelace", zone="Europe/Berlin", tongue="de"
	)

	enrollment = factories.enroll(campaign, member, clock)
	factories.run(clock)

	assert CUSTOM in available_types()
	assert load(member).language == "de"
	assert (enrollment.recipient_name, enrollment.time_zone) == ("Ada Lovelace", "Europe/Berlin")
	assert "Ada Lovelace|Ada Lovelace" in smtp.messages[0].part("plain")


def test_field_that_forbids_mail_forbids_it(site, clock, custom_type):
	campaign = factories.make_active_campaign(clock)
	member = insert(CUSTOM, mail=f"ada@{DOMAIN}", no_mail=1)

	with pytest.raises((DripError, frappe.ValidationError)) as caught:
		factories.enroll(campaign, member, clock)

	assert "is marked as not receiving email" in str(caught.value)


def test_time_zone_that_nobody_knows_counts_as_none(site, custom_type):
	member = insert(CUSTOM, mail=f"ada@{DOMAIN}", zone="Mars/Olympus")

	assert load(member).time_zone is None


def test_enrollment_of_a_type_that_is_none_any_more_ends(site, smtp, clock, custom_type):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, insert(CUSTOM, mail=f"ada@{DOMAIN}"), clock)
	name_types()

	factories.run(clock)

	assert smtp.messages == []
	assert (enrollment.reload().status, enrollment.exit_reason) == ("Exited", "Recipient Deleted")


@pytest.mark.parametrize(
	("changed", "said"),
	[
		({"document_type": "Contact"}, "Contact is already a recipient type. Remove the row."),
		({"document_type": "Contact Email"}, "Contact Email has no records of its own"),
		({"document_type": "System Settings"}, "System Settings has no records of its own"),
		({"document_type": "Drip Email"}, "Drip Email belongs to this app."),
		({"address_field": "e_mail"}, f"{CUSTOM} has no field e_mail. Enter the name of one of its fields."),
		({"forbidding_field": "mail"}, f"the field mail of {CUSTOM} is a Data. Choose one of these: Check."),
	],
	ids=str,
)
def test_wrong_row_is_refused_with_its_number_and_the_remedy(site, custom_type, changed, said):
	with pytest.raises(frappe.ValidationError) as caught:
		name_types({**ROW, **changed})

	assert "Recipient Types, row 1: " in str(caught.value)
	assert said in str(caught.value)


def test_same_doctype_twice_is_refused(site, custom_type):
	with pytest.raises(frappe.ValidationError) as caught:
		name_types(ROW, ROW)

	assert f"Recipient Types, row 2: {CUSTOM} is already a recipient type." in str(caught.value)


def test_desk_is_told_the_types_if_the_user_may_enroll(site, custom_type):
	told = {}
	for user in (factories.make_user("seller", "Drip User"), factories.make_user("stranger")):
		frappe.set_user(user)
		bootinfo = {}
		boot.add_recipient_types(bootinfo)
		told[user] = bootinfo["drip_recipient_types"]
	frappe.set_user("Administrator")

	assert CUSTOM in told[f"seller@{DOMAIN}"]
	assert told[f"stranger@{DOMAIN}"] == []


@pytest.mark.parametrize("doctype", list(BUILT_IN))
def test_form_of_a_recipient_counts_its_enrollments(site, doctype):
	data = frappe._dict()

	# As frappe/model/meta.py does, except for a DocType that was made on the site: a stand-in
	for hook in frappe.get_hooks("override_doctype_dashboards")[doctype]:
		data = frappe.get_attr(hook)(data=data)

	assert data.non_standard_fieldnames["Drip Enrollment"] == "recipient"
	assert data.dynamic_links["recipient"] == [doctype, "recipient_type"]


def test_type_that_is_none_is_refused(site):
	with pytest.raises(UnknownRecipientTypeError):
		load_recipients("ToDo", ["x"])


@pytest.mark.parametrize(
	("fields", "said"),
	[({}, None), ({"status": "Junk"}, "has a status"), ({"converted": 1}, "is converted")],
)
def test_lead_of_the_crm_is_written_to_unless_it_is_junk_or_converted(site, fields, said):
	lead = insert(
		"CRM Lead",
		first_name="Ada",
		lead_name="Ada L",
		organization="Ada Ltd",
		email=f"ada@{DOMAIN}",
		**fields,
	)

	found = load(lead)

	assert (found.email, found.full_name, found.company) == (f"ada@{DOMAIN}", "Ada L", "Ada Ltd")
	assert found.stopped_because is None if said is None else found.stopped_because.startswith(said)


def test_deal_of_the_crm_is_reached_by_its_primary_contact_as_it_is_now_else_by_its_lead(site, smtp, clock):
	first = factories.make_contact("First", f"first@{DOMAIN}")
	primary = factories.make_contact("Primary", f"new@{DOMAIN}")
	lead = insert("CRM Lead", first_name="Lea", email=f"lea@{DOMAIN}", converted=1)
	rows = [{"contact": first.name}, {"contact": primary.name, "is_primary": 1}]
	deal = insert(
		"CRM Deal", name="DRIP-DEAL-1", lead_name="Deal", email=f"old@{DOMAIN}", contacts=rows, lead=lead.name
	)
	of_lead = insert("CRM Deal", name="DRIP-DEAL-2", lead_name="Other", lead=lead.name, status="Open")
	won = insert("CRM Deal", name="DRIP-DEAL-3", lead_name="Won", contacts=rows, status="Won")
	campaign = factories.make_active_campaign(clock, step(0))

	for record in (deal, of_lead):
		factories.enroll(campaign, record, clock)
	factories.run(clock)

	assert sorted(mail.recipient for mail in smtp.messages) == [f"lea@{DOMAIN}", f"new@{DOMAIN}"]
	assert "Hello Primary" in smtp.to(f"new@{DOMAIN}")[0].part("plain")
	with pytest.raises(frappe.ValidationError, match="has a status"):
		factories.enroll(campaign, won, clock)


def make_status(doctype: str, name: str, kind: str) -> str:
	"""Return a status with a type, as a user adds it or renames it."""
	if not frappe.db.exists(doctype, name):
		field = {"CRM Deal Status": "deal_status", "CRM Lead Status": "lead_status"}[doctype]
		frappe.get_doc({"doctype": doctype, field: name, "type": kind}).insert(set_name=name)
	return name


@pytest.mark.parametrize(
	("doctype", "status", "kind", "stops"),
	[
		("CRM Deal", "Verloren", "Lost", True),
		("CRM Deal", "Gewonnen", "Won", True),
		("CRM Deal", "In Arbeit", "Ongoing", False),
		("CRM Lead", "Not Interested", "Lost", True),
		("CRM Lead", "Reif", "Won", False),
	],
)
def test_status_counts_by_its_type_whatever_its_name(site, doctype, status, kind, stops):
	make_status(f"{doctype} Status", status, kind)

	found = load(insert(doctype, lead_name="Ada", email=f"ada@{DOMAIN}", status=status))

	assert (found.stopped_because, found.is_closed) == (
		("has a status that forbids email", True) if stops else (None, False)
	)


def test_renamed_status_is_still_the_one_that_forbids_email(site):
	deal = insert(
		"CRM Deal",
		lead_name="Ada",
		email=f"ada@{DOMAIN}",
		status=make_status("CRM Deal Status", "Gone", "Lost"),
	)
	frappe.rename_doc("CRM Deal Status", "Gone", "Perdu", force=True)

	assert deal.reload().status == "Perdu" and load(deal).is_closed


def test_campaign_for_closed_records_wins_lost_deals_back_and_writes_to_no_junk(site, smtp, clock):
	lost = insert("CRM Deal", name="DRIP-LOST", lead_name="Lost", email=f"lost@{DOMAIN}", status="Lost")
	junk = insert("CRM Lead", first_name="Junk", email=f"junk@{DOMAIN}", status="Junk")
	campaign = factories.make_active_campaign(clock, step(0), also_to_closed=1)
	usual = factories.make_active_campaign(clock, step(0))

	factories.enroll(campaign, lost, clock)
	factories.run(clock)

	assert [mail.recipient for mail in smtp.messages] == [f"lost@{DOMAIN}"]
	with pytest.raises(frappe.ValidationError, match="Also to Closed Records"):
		factories.enroll(usual, lost, clock)
	with pytest.raises(frappe.ValidationError, match="has a status"):
		factories.enroll(campaign, junk, clock)


def test_statuses_of_other_types_are_a_setting(site, custom_type):
	lead = insert("Lead", lead_name="Ada", email_id=f"ada@{DOMAIN}", status="Interested")
	assert load(lead).stopped_because is None

	name_types({"document_type": "Lead", "opt_out_statuses": "Interested"})
	assert load(lead).stopped_because and not load(lead).is_closed
	name_types({"document_type": "Lead", "closed_statuses": "Open\nInterested"})
	assert load(lead).is_closed
	with pytest.raises(frappe.ValidationError, match="Lead has no status Verloren"):
		name_types({"document_type": "Lead", "closed_statuses": "Verloren"})


@pytest.mark.parametrize(
	("fields", "said"),
	[
		({"field_name": "status", "field_value": "Won"}, "CRM Deal records with won are closed"),
		(
			{"field_name": "lead_name", "filters": '[["CRM Deal", "status", "in", ["Won", "Lost"]]]'},
			"are closed",
		),
	],
)
def test_trigger_that_can_enroll_nobody_is_told_at_save_and_at_activation(site, clock, fields, said):
	row = {"kind": "Field Reached Value", "recipient_type": "CRM Deal", **fields}
	campaign = factories.make_campaign(step(0), triggers=[row])

	assert any(said in str(message) for message in frappe.get_message_log())
	with pytest.raises(CampaignProblemError, match=said):
		lifecycle.activate(campaign, clock.now)
	campaign.also_to_closed = 1
	assert lifecycle.activate(campaign.save(), clock.now)


def test_trigger_for_junk_says_that_nobody_gets_email(site, clock):
	row = {
		"kind": "Field Reached Value",
		"recipient_type": "CRM Lead",
		"field_name": "status",
		"field_value": "Junk",
	}
	campaign = factories.make_campaign(step(0), triggers=[row], also_to_closed=1)

	with pytest.raises(CampaignProblemError, match="get no email, so it enrolls nobody"):
		lifecycle.activate(campaign, clock.now)
