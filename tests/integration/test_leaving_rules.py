"""Leaving by rule: goals, conversion, filters that match no more, a company's answer; asked until the moment an email leaves."""

import json
from datetime import timedelta

import frappe
import pytest

from drip_campaigns.campaign import lifecycle
from drip_campaigns.jobs import daily, dispatch_due, run_triggers
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.site.clock import to_site, utc_now
from tests import factories, stand_ins
from tests.factories import step
from tests.fakes import Clock
from tests.integration.test_feedback import answer, clean_theirs, events_of, mail_of, receive, send_to
from tests.trigger_steps import trigger, work_off

REPLIED = json.dumps([["Contact", "status", "=", "Replied"]])
BY_RECORD = {"goal": "Record Matches", "goal_recipient_type": "Contact", "goal_filters": REPLIED}
BY_OPPORTUNITY = {"goal": "Document Created", "goal_document": "Opportunity"}


@pytest.fixture
def clock() -> Clock:
	"""Documents are made now, so the tests' time is now, too."""
	return Clock(utc_now())


@pytest.fixture(scope="module")
def crm(connected_site):
	"""Leads, Customers and Opportunities: ERPNext's, or stand-ins."""
	with stand_ins.present("Lead", "Customer", "Opportunity"):
		yield


def ended(enrollment) -> tuple:
	"""Return how an enrollment stands."""
	enrollment.reload()
	return enrollment.status, enrollment.exit_reason or None


def test_saving_a_record_that_reaches_the_goal_ends_it_and_withdraws_what_is_queued(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, **BY_RECORD)
	contact, other = factories.make_contact(), factories.make_contact()
	enrollment, goes_on = (factories.enroll(campaign, record, clock) for record in (contact, other))
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	contact.reload().update({"status": "Replied"}).save()
	other.reload().update({"status": "Open"}).save()
	frappe.db.commit()
	run_triggers.run(utc_now())
	delivery.deliver(clock)

	assert ended(enrollment) == ("Exited", "Goal")
	assert ended(goes_on) == ("In Progress", None)
	assert [message.recipient for message in smtp.messages] == [other.email_id]
	assert factories.count("Drip Email", enrollment=enrollment.name, status="Skipped", reason="Goal") == 1
	assert factories.count("Drip Trigger Firing") == 1


@pytest.mark.parametrize("when", ["before it is made", "before it leaves", "by the daily job"])
def test_goal_that_nothing_told_of_is_seen_before_the_next_email_and_once_a_day(site, smtp, clock, when):
	campaign = factories.make_active_campaign(clock, **BY_RECORD)
	contact = factories.make_contact()
	enrollment = factories.enroll(campaign, contact, clock)
	if when == "before it leaves":
		dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	frappe.db.set_value("Contact", contact.name, "status", "Replied")
	frappe.db.commit()
	if when == "by the daily job":
		daily.run(clock.now, enqueue_delivery=False)
	elif when == "before it is made":
		dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	delivery.deliver(clock)

	assert ended(enrollment) == ("Exited", "Goal")
	assert smtp.messages == []
	assert factories.count("Drip Event", event_type="Exited", detail=("like", "%matches the goal%")) == 1


def test_goal_counts_within_its_days_only(site, clock):
	campaign = factories.make_active_campaign(clock, **BY_RECORD, goal_within_days=3)
	contact = factories.make_contact()
	enrollment = factories.enroll(campaign, contact, clock)
	frappe.db.set_value("Contact", contact.name, "status", "Replied")
	clock.advance(days=4)

	daily.run(clock.now, enqueue_delivery=False)

	assert ended(enrollment) == ("In Progress", None)


@pytest.mark.parametrize("who", ["Lead", "Contact of the Lead", "Contact named in it"])
def test_document_made_for_a_person_or_whom_they_belong_to_reaches_the_goal(site, crm, clock, who):
	campaign = factories.make_active_campaign(clock, **BY_OPPORTUNITY)
	lead = factories.make_lead()
	links = [{"link_doctype": "Lead", "link_name": lead.name}]
	record = lead if who == "Lead" else factories.make_contact(links=links if "of" in who else [])
	enrollment = factories.enroll(campaign, record, clock)
	party = {} if who == "Contact named in it" else {"opportunity_from": "Lead", "party_name": lead.name}
	named = {"contact_person": record.name} if not party else {}

	make_opportunity(**(party or other_party()), **named)
	work_off(clock)

	assert ended(enrollment) == ("Exited", "Goal")


def test_document_that_was_there_before_or_comes_too_late_is_no_goal(site, crm, clock):
	campaign = factories.make_active_campaign(clock, **BY_OPPORTUNITY, goal_within_days=3)
	leads = [factories.make_lead() for _ in range(2)]
	old, late = (make_opportunity(opportunity_from="Lead", party_name=lead.name) for lead in leads)
	enrollments = [factories.enroll(campaign, lead, clock) for lead in leads]
	for document, days in ((old, -2), (late, 4)):
		made_at = to_site(clock.now + timedelta(days=days))
		frappe.db.set_value("Opportunity", document.name, "creation", made_at)

	daily.run(clock.now, enqueue_delivery=False)

	assert [ended(enrollment) for enrollment in enrollments] == [("In Progress", None)] * 2


def test_lead_for_which_an_opportunity_is_made_leaves_as_converted(site, crm, smtp, clock):
	campaign = factories.make_active_campaign(clock, exit_on_conversion=1)
	lead = factories.make_lead()
	enrollment = factories.enroll(campaign, lead, clock)
	make_opportunity(opportunity_from="Lead", party_name=lead.name)

	factories.run(clock)

	assert ended(enrollment) == ("Exited", "Converted")
	assert smtp.messages == []


def test_who_matches_the_filters_of_no_trigger_any_more_leaves_if_the_campaign_says_so(site, smtp, clock):
	is_open = json.dumps([["Contact", "status", "=", "Open"]])
	filters = trigger("Record Created", filters=is_open)
	strict, lenient = (
		factories.make_active_campaign(clock, triggers=[filters], exit_when_unmatched=on) for on in (1, 0)
	)
	contact = factories.make_contact(status="Open")
	enrollments = [factories.enroll(campaign, contact, clock) for campaign in (strict, lenient)]
	frappe.db.set_value("Contact", contact.name, "status", "Passive")

	factories.run(clock)

	assert [ended(enrollment) for enrollment in enrollments] == [
		("Exited", "No Longer Matching"),
		("In Progress", None),
	]
	assert len(smtp.messages) == 1


def test_answer_of_one_ends_it_for_their_company_where_the_campaign_says_so(site, clock):
	clean_theirs()
	company, person = (
		factories.make_active_campaign(clock, step(0), step(2), reply_scope=scope)
		for scope in ("Same Company", "Recipient")
	)
	ada, bob = send_to(company, clock), send_to(company, clock, "bob")
	carl = factories.enroll(company, factories.make_contact(), clock)  # of another domain
	alone = factories.enroll(person, frappe.get_doc("Contact", bob.recipient), clock)

	receive(answer(mail_of(ada), "Yes, please"))

	assert [ended(row)[1] for row in (ada, bob, carl, alone)] == ["Reply", "Reply", None, None]
	clean_theirs()


def test_colleague_who_was_never_written_to_is_shown_to_the_owner_and_ends_nothing(site, clock):
	clean_theirs()
	campaign = factories.make_active_campaign(clock, step(0), step(2), reply_scope="Same Company")
	ada = send_to(campaign, clock)
	stranger = f"boss@{ada.email_address.rpartition('@')[2]}"

	receive(answer(mail_of(ada), "We have talked about it", sender=stranger, In_Reply_To=""))

	assert ended(ada) == ("In Progress", None)
	assert [text for _kind, text in events_of(ada, "Feedback")] == [
		f"{stranger}, from the same company, wrote"
	]
	clean_theirs()


@pytest.mark.parametrize(
	("fields", "said"),
	[
		({**BY_RECORD, "goal_filters": "[]"}, "without filters, every record reaches it"),
		({**BY_RECORD, "goal_filters": '[["Contact","nonsense","=","x"]]'}, "has no field nonsense"),
		({**BY_RECORD, "goal_filters": "{oops"}, "cannot be used"),
		({**BY_RECORD, "goal_recipient_type": "ToDo"}, "cannot be enrolled"),
		({"goal": "Document Created", "goal_document": "CRM Deal"}, "this site has no CRM Deal records"),
	],
)
def test_goal_that_cannot_be_asked_is_refused(site, fields, said):
	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_campaign(**fields)

	assert said in str(caught.value)


def test_goal_whose_field_has_gone_holds_the_campaign_and_loses_nobody(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, **BY_RECORD)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	gone = json.dumps([["Contact", "field_that_is_gone", "=", "x"]])
	frappe.db.set_value("Drip Campaign", campaign.name, "goal_filters", gone)

	factories.run(clock)

	campaign.reload()
	assert campaign.status == "Paused" and "could not be evaluated" in campaign.pause_reason
	assert ended(enrollment) == ("In Progress", None) and smtp.messages == []


def test_goal_whose_field_goes_while_e_mails_are_queued_holds_its_campaign_and_lets_those_of_others_leave(
	site, smtp, clock
):
	broken, sound = factories.make_active_campaign(clock, **BY_RECORD), factories.make_active_campaign(clock)
	waits, leaves = (
		factories.enroll(campaign, factories.make_contact(), clock) for campaign in (broken, sound)
	)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	gone = json.dumps([["Contact", "field_that_is_gone", "=", "x"]])
	frappe.db.set_value("Drip Campaign", broken.name, "goal_filters", gone)
	frappe.db.commit()

	delivery.deliver(clock)

	assert [message.recipient for message in smtp.messages] == [leaves.email_address]
	assert "could not be evaluated" in broken.reload().pause_reason
	assert factories.count("Drip Email", enrollment=waits.name, status="Queued") == 1
	correct_and_go_on(broken, clock)
	assert smtp.messages[-1].recipient == waits.email_address


def correct_and_go_on(campaign, clock) -> None:
	"""Correct the goal, let the campaign go on, and deliver."""
	frappe.db.set_value("Drip Campaign", campaign.name, "goal_filters", REPLIED)
	lifecycle.activate(campaign.reload(), clock.now)
	frappe.db.commit()
	delivery.deliver(clock)


def other_party() -> dict:
	"""Return a party that nobody on a campaign has to do with."""
	return {"opportunity_from": "Lead", "party_name": factories.make_lead().name}


def make_opportunity(**fields):
	"""Insert an Opportunity, in ERPNext with what it demands."""
	meta = frappe.get_meta("Opportunity")
	companies = frappe.get_all("Company", pluck="name", limit=1) if meta.has_field("company") else []
	demanded = {"company": companies[0]} if companies else {}
	return frappe.get_doc({"doctype": "Opportunity", **demanded, **fields}).insert()
