"""A person's past counts by record or by address: a Lead made from a reply, a duplicate, another record of the person."""

import json

import frappe
import pytest

from drip_campaigns.core.model import ExitReason
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.preview import preview_audience
from drip_campaigns.enrollment.why_not import explain
from drip_campaigns.plans.past_enrollments import Identity, find_past_enrollments
from drip_campaigns.site.clock import utc_now
from drip_campaigns.triggers.find_people import Person
from drip_campaigns.triggers.loop_guard import _count_rounds
from tests import factories, verbs
from tests.factories import DOMAIN, step
from tests.fakes import Clock
from tests.trigger_steps import make_campaign, outcomes, trigger, work_off

ADA = f"ada@{DOMAIN}"
AS_ANOTHER = "Was in the campaign before, as another record with the same address"


def finish(campaign, contact, clock):
	"""Enroll a Contact and let it complete a campaign of one email."""
	enrollment = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	assert enrollment.reload().status == "Completed"
	return enrollment


def enroll_in_bulk(campaign, record, clock):
	"""Enroll one record as a run does, and return the result."""
	[result] = enroll_many(campaign.name, record.doctype, [record.name], clock.now)
	frappe.db.commit()
	return result


@pytest.mark.parametrize("address", [ADA, ADA.upper()])
def test_second_record_of_a_person_does_not_get_the_series_again(site, smtp, clock, address):
	campaign = factories.make_active_campaign(clock, step(0), re_enrollment="Never")
	finish(campaign, factories.make_contact("Ada", ADA), clock)
	second = factories.make_contact("Ada Too", address)

	result = enroll_in_bulk(campaign, second, clock)
	shown = preview_audience(campaign.name, "Contact", json.dumps([["name", "=", second.name]]), clock.now)
	why = explain(campaign.name, "Contact", second.name, clock.now)
	with pytest.raises(frappe.ValidationError, match="as another record with the same address"):
		verbs.enroll(campaign.name, "Contact", second.name, clock.now)

	reason = f"{AS_ANOTHER}. This campaign enrolls each recipient once"
	assert dict(result.refused) == {reason: 1}
	assert [row["reason"] for row in shown["refused"]] == [reason]
	assert [check["finding"] for check in why["checks"] if not check["is_met"]] == [reason]
	assert factories.count("Drip Enrollment", campaign=campaign.name) == 1


def test_record_of_another_type_is_the_same_person(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0))
	user = frappe.get_doc("User", factories.make_user("ada", "Desk User"))
	finish(campaign, factories.make_contact("Ada", user.email), clock)

	assert list(enroll_in_bulk(campaign, user, clock).refused)[0].startswith(AS_ANOTHER)


@pytest.mark.parametrize(
	("rule", "reason"),
	[
		("Never", f"{AS_ANOTHER}. This campaign enrolls each recipient once"),
		("Resume", f"{AS_ANOTHER}, which ended with the reason Reply"),
	],
)
def test_trigger_does_not_begin_again_with_the_record_that_is_made_of_a_reply(site, smtp, rule, reason):
	clock = Clock(utc_now())
	campaign = make_campaign(clock, trigger("Record Created"), re_enrollment=rule)
	factories.make_contact("Ada", ADA)
	work_off(clock)
	clock.advance(minutes=1)
	factories.run(clock)
	first = frappe.get_last_doc("Drip Enrollment", {"campaign": campaign.name})
	verbs.exit_enrollment(first, clock.now, ExitReason.REPLY)

	factories.make_contact("Ada who replied", ADA)
	work_off(clock)
	for _day in range(5):
		clock.advance(days=1)
		factories.run(clock)

	assert [mail.recipient for mail in smtp.messages] == [ADA]
	assert sorted(outcomes(campaign)) == ["Enrolled", reason]


def test_restart_waits_its_days_for_the_person_not_for_the_record(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), re_enrollment="Restart", restart_after_days=10)
	finish(campaign, factories.make_contact("Ada", ADA), clock)
	second = factories.make_contact("Ada Too", ADA)

	clock.advance(days=9)
	early = enroll_in_bulk(campaign, second, clock)
	clock.advance(days=2)
	late = enroll_in_bulk(campaign, second, clock)

	assert (early.enrolled, late.enrolled) == (0, 1)
	assert list(early.refused)[0].startswith(f"{AS_ANOTHER}. This campaign can restart on")


def test_resume_continues_the_enrollment_of_the_persons_other_record(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, re_enrollment="Resume")
	first = factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)
	factories.run(clock)
	verbs.remove(first, clock.now)
	second = factories.make_contact("Ada Too", ADA)

	result = enroll_in_bulk(campaign, second, clock)
	for _day in range(5):
		clock.advance(days=1)
		factories.run(clock)

	assert (result.resumed, result.enrolled) == (1, 0)
	assert first.reload().status == "Completed"
	assert [message.message["Subject"] for message in smtp.messages] == ["Day 0", "Day 2", "Day 4"]


def test_resume_says_why_the_other_records_enrollment_cannot_continue_before_it_is_tried(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, re_enrollment="Resume")
	gone = factories.make_contact("Ada", ADA)
	verbs.remove(factories.enroll(campaign, gone, clock), clock.now)
	second = factories.make_contact("Ada Too", ADA)
	frappe.db.set_value("Contact", gone.name, "unsubscribed", 1)
	frappe.db.commit()

	shown = preview_audience(campaign.name, "Contact", json.dumps([["name", "=", second.name]]), clock.now)
	result = enroll_in_bulk(campaign, second, clock)

	[reason] = result.refused
	assert reason.startswith(f"{AS_ANOTHER}, which ")
	assert [row["reason"] for row in shown["refused"]] == [reason]


def test_only_one_of_a_persons_enrollments_is_reopened_by_a_new_last_step(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), re_enrollment="Restart", restart_after_days=0)
	first = finish(campaign, factories.make_contact("Ada", ADA), clock)
	clock.advance(days=1)
	second = finish(campaign, factories.make_contact("Ada Too", ADA), clock)

	campaign.reload().append("steps", step(1, "New"))
	campaign.save()
	frappe.db.commit()
	clock.advance(days=2)
	factories.run(clock)

	assert [one.reload().status for one in (first, second)] == ["Completed", "Completed"]
	assert [str(mail.message["Subject"]) for mail in smtp.messages].count("New") == 1
	assert factories.count("Drip Email", enrollment=first.name, subject="New") == 0


def test_condition_on_another_campaign_knows_the_person_by_address(site, smtp, clock):
	other = factories.make_active_campaign(clock, step(0, "Other"))
	finish(other, factories.make_contact("Ada", ADA), clock)
	never = {"kind": "campaign", "campaign": other.name, "stands": "ever", "negated": True}
	campaign = factories.make_active_campaign(
		clock, step(0, "For newcomers", conditions=json.dumps({"tests": [never]})), step(1, "For all")
	)

	factories.enroll(campaign, factories.make_contact("Ada Too", ADA), clock)
	for _day in range(2):
		factories.run(clock)
		clock.advance(days=1)

	assert [str(mail.message["Subject"]) for mail in smtp.messages] == ["Other", "For all"]


def test_rounds_of_a_loop_count_by_person(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), re_enrollment="Restart", restart_after_days=0)
	people = [factories.make_contact(f"Ada {number}", ADA) for number in range(3)]
	for contact in people:
		finish(campaign, contact, clock)
		clock.advance(days=1)

	since = frappe.utils.add_days(
		frappe.db.get_value("Drip Enrollment", {"campaign": campaign.name}, "creation"), -9
	)
	rounds = _count_rounds(campaign.name, [Person("Contact", people[0].name, None)], since)

	assert rounds == {("Contact", people[0].name): 3}


def test_past_of_many_people_takes_as_many_statements_as_that_of_one(site, clock):
	campaign = factories.make_active_campaign(clock)
	people = [factories.make_contact() for _number in range(4)]
	for contact in people:
		factories.enroll(campaign, contact, clock)
	identities = {one.name: Identity("Contact", one.name, one.email_id) for one in people}

	with factories.count_statements() as statements:
		found = find_past_enrollments(identities, ("status",), campaign=campaign.name)

	assert {name: [row.recipient for row in rows] for name, rows in found.items()} == {
		one.name: [one.name] for one in people
	}
	assert statements.count == 2


def test_addresses_that_the_database_takes_for_equal_are_two_people(site, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"ada@muller.{DOMAIN}"), clock)
	enrollment.db_set("email_address", f"ada@müller.{DOMAIN}")

	found = find_past_enrollments(
		{
			spelled: Identity("Contact", "Someone Else", f"ada@{spelled}.{DOMAIN}")
			for spelled in ("muller", "müller")
		},
		(),
	)

	assert {spelled: len(rows) for spelled, rows in found.items()} == {"muller": 0, "müller": 1}


def test_new_contact_of_a_record_gets_no_answer_in_the_thread_of_the_old_one(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock, step(0, "First"), step(1, "Second", in_thread=1), step(2, "Third", in_thread=1)
	)
	contact = factories.make_contact("Deal", ADA)
	factories.enroll(campaign, contact, clock)
	factories.run(clock)
	contact.reload().email_ids[0].email_id = f"bob@{DOMAIN}"
	contact.save()
	frappe.db.commit()
	for _day in range(2):
		clock.advance(days=1)
		factories.run(clock)

	_first, second, third = smtp.messages
	assert [str(mail.message["Subject"]) for mail in (second, third)] == ["Second", "Re: Second"]
	assert second.message["In-Reply-To"] is None
	assert (third.message["References"] or "").split() == [second.message["Message-ID"]]
