"""What a button, a question, or a dialog says beforehand is what pressing it does, whatever state people are in.

One site per test, and each example changes its rows, compares, and takes everything back.
"""

import frappe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.api.desk import get_campaign_summary
from drip_campaigns.api.enrollments import change_enrollments, preview_changes, preview_retry, retry_actions
from drip_campaigns.api.lists import add_to_list, preview_add
from drip_campaigns.api.triggers import count_existing
from drip_campaigns.dispatch import retry
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.preview import preview_audience
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.site.clock import utc_now
from drip_campaigns.triggers import api_triggers
from tests import factories, verbs
from tests.factories import DOMAIN, step
from tests.fuzz.depth import examples

CROWD = 4  # people in one example, each in a state of its own
ON_ONE_SITE = examples(25)

STATUSES = ("Scheduled", "In Progress", "Paused", "Completed", "Unsubscribed", "Exited", "Failed")
LIVE = ("Scheduled", "In Progress", "Paused")
MAILS = (("Failed", None), ("Skipped", "Expired"), ("Skipped", "Campaign Ended"), ("Sent", None))
PERSONS = st.fixed_dictionaries(
	{
		"status": st.sampled_from(STATUSES),
		"mail": st.sampled_from(MAILS),
		"action": st.sampled_from(("Failed", "In Doubt", "Done")),
		"address": st.sampled_from(("own", "own", "own", "empty", "shared")),
		"opted_out": st.sampled_from((False, False, False, True)),
	}
)


@pytest.fixture
def crowd(site, smtp, clock):
	"""An active campaign, and four people who each have an enrollment, an email in the queue, and an action."""
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	people = [factories.make_contact(f"Person {number}") for number in range(CROWD)]
	for person in people:
		smtp.answer(person.email_id, "450 4.2.1 try again")
	enrollments = [factories.enroll(campaign, person, clock) for person in people]
	factories.run(clock)
	for one in enrollments:
		name = f"{one.name}-{campaign.steps[1].name}"
		values = {"enrollment": one.name, "campaign": campaign.name, "step": campaign.steps[1].name}
		action = frappe.get_doc(doctype="Drip Action", name=name, action="Add Tag", status="Done", **values)
		action.db_insert()
	frappe.db.commit()
	return campaign, people, enrollments


def put(crowd, drawn) -> None:
	"""Bring the people of a crowd into the states that were drawn."""
	campaign, people, enrollments = crowd
	for person, enrollment, state in zip(people, enrollments, drawn, strict=True):
		address = {"own": person.email_id, "empty": "", "shared": f"shared@{DOMAIN}"}[state["address"]]
		frappe.db.set_value("Contact", person.name, "email_id", address)
		is_live = state["status"] in LIVE
		keys = {} if is_live else {"live_recipient": None, "live_address": None}
		values = {"status": state["status"], "email_address": address or person.email_id, **keys}
		frappe.db.set_value("Drip Enrollment", enrollment.name, values)
		status, reason = state["mail"]
		mail = {"status": status, "reason": reason}
		frappe.db.set_value("Drip Email", {"enrollment": enrollment.name}, mail)
		frappe.db.set_value("Drip Action", {"enrollment": enrollment.name}, "status", state["action"])
		if state["opted_out"]:
			about = {"reference_doctype": "Drip Campaign", "reference_name": campaign.name}
			opt_out = frappe.get_doc(doctype="Email Unsubscribe", email=values["email_address"], **about)
			opt_out.insert(ignore_if_duplicate=True)


@ON_ONE_SITE
@given(drawn=st.lists(PERSONS, min_size=CROWD, max_size=CROWD))
def test_repair_buttons_count_what_pressing_them_does(crowd, clock, drawn):
	campaign = crowd[0]
	try:
		put(crowd, drawn)
		counted = get_campaign_summary(campaign.name)["repairs"]

		frappe.db.savepoint("drip_before")
		retried = sum(retry.retry_failed(campaign, clock.now).values())
		frappe.db.rollback(save_point="drip_before")
		sent = retry.send_missed(campaign, clock.now)

		assert counted == {"failed": retried, "missed": sent}
	finally:
		frappe.db.rollback()


@ON_ONE_SITE
@given(drawn=st.lists(PERSONS, min_size=CROWD, max_size=CROWD))
def test_enrolling_does_what_its_preview_says(crowd, clock, drawn):
	campaign, people, _enrollments = crowd
	names = [person.name for person in people]
	try:
		put(crowd, drawn)
		filters = frappe.as_json([["Contact", "name", "in", names]])
		told = preview_audience(campaign.name, "Contact", filters, clock.now)

		results = list(enroll_many(campaign.name, "Contact", sorted(names), clock.now))

		assert told["enrolled"] + told["resumed"] == sum(result.done for result in results)
		assert sum(row["count"] for row in told["refused"]) == sum(len(one.refusals) for one in results)
	finally:
		frappe.db.rollback()


@pytest.mark.parametrize("status", ["Completed", "Paused", "Exited"])
def test_button_for_skipped_emails_is_not_offered_when_nobody_would_get_one(site, smtp, clock, status):
	campaign = factories.make_active_campaign(clock, step(0), step(9), if_late="Keep Dates", grace_hours=24)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	clock.advance(days=3)
	factories.run(clock)
	assert get_campaign_summary(campaign.name)["repairs"] == {"failed": 0, "missed": 1}

	frappe.db.set_value("Drip Enrollment", enrollment.name, "status", status)

	assert get_campaign_summary(campaign.name)["repairs"] == {"failed": 0, "missed": 0}


def test_existing_people_are_counted_without_those_who_are_in_the_campaign_or_may_not_be(site, clock):
	known = factories.make_contact("Known")
	for name, address in (("New", ""), ("Unreachable", None)):
		factories.make_contact(name, address)
	trigger = {"kind": "Record Created", "recipient_type": "Contact"}
	campaign = factories.make_active_campaign(clock, step(0), triggers=[trigger])
	factories.enroll(campaign, known, clock)
	frappe.db.commit()

	[found] = count_existing(campaign.name)
	[run] = api_triggers.backfill(campaign, [found], utc_now())
	frappe.db.commit()
	bulk_enrollment.run(run)

	done = frappe.get_doc("Drip Bulk Enrollment", run)
	assert (found["count"], found["total"]) == (done.enrolled, done.total)
	assert found["count"] < found["total"]
	assert count_existing(campaign.name) == []


def test_question_about_ticked_enrollments_counts_those_that_the_verb_changes(crowd, clock):
	_campaign, _people, enrollments = crowd
	names = frappe.as_json([one.name for one in enrollments])
	verbs.remove(enrollments[0].reload(), clock.now)
	frappe.db.commit()

	told = preview_changes("Pause", names)
	is_untouched = factories.count("Drip Enrollment", status="Paused") == 0

	assert is_untouched
	assert told == change_enrollments("Pause", names)
	assert (told["done"], sum(told["refused"].values())) == (CROWD - 1, 1)


def test_question_about_actions_and_button_for_a_list_count_what_they_do(crowd):
	_campaign, people, _enrollments = crowd
	actions = frappe.get_all("Drip Action", pluck="name")
	frappe.db.set_value("Drip Action", actions[0], "status", "Failed")
	listed, names = factories.make_list(), frappe.as_json([person.name for person in people])
	add_to_list(listed.name, "Contact", frappe.as_json([people[0].name]))
	frappe.db.commit()

	told, added = preview_retry(frappe.as_json(actions)), preview_add(listed.name, "Contact", names)

	assert frappe.db.get_value("Drip Action", actions[0], "status") == "Failed"
	assert told == retry_actions(frappe.as_json(actions)) == {"done": 1, "left": CROWD - 1}
	assert added == add_to_list(listed.name, "Contact", names)
	assert (added["joined"], added["already"]) == (CROWD - 1, 1)
