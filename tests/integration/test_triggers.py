"""Triggers by the real events of Frappe: who is enrolled, when, how often, and what never happens to the one who saves."""

import json
from datetime import timedelta

import frappe
import pytest
from frappe.desk.doctype.tag.tag import add_tag, remove_tag

from drip_campaigns.enrollment.list_membership import unsubscribe_from_list
from drip_campaigns.jobs import dispatch_due as runner
from drip_campaigns.jobs import run_triggers
from drip_campaigns.site.clock import utc_now
from drip_campaigns.triggers import doc_events, firings, trigger_cache
from drip_campaigns.triggers.kinds.field_reached_value import is_value
from tests import factories
from tests.factories import DOMAIN
from tests.fakes import Clock
from tests.trigger_steps import enrolled, make_campaign, outcomes, trigger, work_off


@pytest.fixture
def clock() -> Clock:
	"""Events happen now, so the tests' time is now, too."""
	return Clock(utc_now())


def test_tag_enrolls_whatever_the_case_of_its_letters_and_the_first_step_leaves(site, smtp, clock):
	add_tag("Hot", "Contact", factories.make_contact("Before").name)
	campaign = make_campaign(clock, trigger("Tag Added", tag="Hot"))
	hot, cold = factories.make_contact("Hot"), factories.make_contact("Cold")

	add_tag("hot", "Contact", hot.name)
	add_tag("Cold", "Contact", cold.name)
	work_off(clock)
	clock.advance(minutes=1)
	factories.run(clock)

	assert enrolled(campaign) == [hot.name]
	assert [message.recipient for message in smtp.messages] == [hot.email_id]


def test_general_and_specific_trigger_of_one_event_both_fire(site, clock):
	add_tag("Hot", "Contact", factories.make_contact("Before").name)
	general = make_campaign(clock, trigger("Tag Added"))
	specific = make_campaign(clock, trigger("Tag Added", tag="Hot"))
	contact = factories.make_contact()

	add_tag("Hot", "Contact", contact.name)
	work_off(clock)

	assert enrolled(general) == enrolled(specific) == [contact.name]


def test_tagging_again_is_what_the_campaign_says_about_coming_back(site, clock):
	campaign = make_campaign(clock, trigger("Tag Added"), re_enrollment="Never")
	contact = factories.make_contact()
	for _ in range(2):
		add_tag("Hot", "Contact", contact.name)
		work_off(clock)
		remove_tag("Hot", "Contact", contact.name)
		frappe.db.commit()

	assert enrolled(campaign) == [contact.name]
	assert outcomes(campaign) == ["Enrolled", "Is already in the campaign"]


def test_record_that_is_created_is_enrolled_once_and_a_later_save_does_nothing(site, clock):
	campaign = make_campaign(clock, trigger("Record Created"))

	contact = factories.make_contact()
	contact.reload().save()
	work_off(clock)
	contact.reload().save()

	assert work_off(clock) == 0
	assert enrolled(campaign) == [contact.name]
	assert factories.count("Drip Trigger Firing") == 1


@pytest.mark.parametrize("how", ["save", "db_set"])
def test_field_that_gets_its_value_enrolls_and_one_that_keeps_it_does_not(site, clock, how):
	campaign = make_campaign(
		clock, trigger("Field Reached Value", field_name="status", field_value="Replied")
	)
	contact = factories.make_contact(status="Open")
	other = factories.make_contact(status="Open")
	work_off(clock)
	assert enrolled(campaign) == []

	if how == "save":
		contact.reload().update({"status": "Replied"}).save()
	else:
		contact.reload().db_set("status", "Replied")
	other.reload().update({"designation": "Clerk"}).save()
	contact.reload().update({"designation": "Chief"}).save()
	work_off(clock)

	assert enrolled(campaign) == [contact.name]
	assert factories.count("Drip Trigger Firing") == 1


@pytest.mark.parametrize(
	("value", "wanted", "fieldtype", "fires"),
	[
		(100.0, "100", "Percent", True),
		(99.5, "100", "Percent", False),
		(0.0, "many", "Float", False),
		(0.0, "", "Float", False),
		(0, "", "Check", False),
		(1, "1", "Check", True),
		("Interested", "interested ", "Data", True),
		("", "", "Data", False),
		(None, "", "Date", False),
	],
)
def test_value_is_the_one_that_was_typed_whatever_the_field_makes_of_it(value, wanted, fieldtype, fires):
	assert is_value(value, wanted, fieldtype) is fires


def test_joining_an_email_group_enrolls_the_member(site, clock):
	for title in ("Drip Test News", "Drip Test Other"):
		if not frappe.db.exists("Email Group", title):
			frappe.get_doc(doctype="Email Group", title=title).insert()
	campaign = make_campaign(clock, trigger("Joined Email Group", email_group="Drip Test News"))

	made = [
		frappe.get_doc(doctype="Email Group Member", email_group=title, email=f"m@{DOMAIN}").insert()
		for title in ("Drip Test News", "Drip Test Other")
	]
	work_off(clock)

	assert enrolled(campaign) == [made[0].name]


def test_joining_a_target_list_enrolls_through_it_and_leaving_the_list_ends_it(site, clock):
	news = frappe.get_doc(doctype="Drip Target List", list_name="Drip Test News").insert()
	campaign = make_campaign(clock, trigger("Joined Target List", target_list=news.name))
	contact = factories.make_contact()

	frappe.get_doc(
		doctype="Drip Target List Member",
		target_list=news.name,
		recipient_type="Contact",
		recipient=contact.name,
	).insert()
	work_off(clock)
	enrollment = frappe.get_last_doc("Drip Enrollment", {"campaign": campaign.name})
	unsubscribe_from_list(news.name, contact.email_id, clock.now)

	assert (enrollment.recipient, enrollment.target_list) == (contact.name, news.name)
	assert enrollment.reload().status == "Unsubscribed"


def test_completing_a_campaign_enrolls_in_the_next_one(site, smtp, clock):
	first = factories.make_active_campaign(clock, factories.step(0))
	other = factories.make_active_campaign(clock, factories.step(0))
	second = make_campaign(clock, trigger("Campaign Completed", source_campaign=first.name))
	ada, bob = factories.make_contact("Ada"), factories.make_contact("Bob")
	factories.enroll(first, ada, clock)
	factories.enroll(other, bob, clock)

	factories.run(clock)
	work_off(clock)

	assert enrolled(second) == [ada.name]


def test_filters_are_asked_when_somebody_is_enrolled_after_the_delay(site, clock):
	filters = json.dumps([["Contact", "designation", "=", "Chief"]])
	campaign = make_campaign(clock, trigger("Record Created", filters=filters, delay_days=2, delay_hours=3))
	chief, clerk = factories.make_contact("Chief"), factories.make_contact("Clerk", designation="Chief")
	work_off(clock)
	assert enrolled(campaign) == []
	frappe.db.set_value("Contact", chief.name, "designation", "Chief")
	frappe.db.set_value("Contact", clerk.name, "designation", "Clerk")

	clock.advance(days=2, hours=2, minutes=59)
	assert work_off(clock) == 0
	clock.advance(minutes=2)
	work_off(clock)

	assert enrolled(campaign) == [chief.name]
	assert sorted(outcomes(campaign)) == ["Does not match the filters", "Enrolled"]


def test_nothing_is_enrolled_from_a_transaction_that_did_not_commit(site, clock):
	campaign = make_campaign(clock, trigger("Record Created"))
	factories.make_contact()
	frappe.db.rollback()
	kept = factories.make_contact()
	frappe.db.savepoint("before_the_other")
	factories.make_contact()
	frappe.db.rollback(save_point="before_the_other")

	work_off(clock)

	assert enrolled(campaign) == [kept.name]


def test_one_job_is_enqueued_after_the_commit_however_many_records_were_saved(site, clock):
	make_campaign(clock, trigger("Record Created"))
	factories.drop_jobs()

	for _ in range(3):
		factories.make_contact()
	before = jobs_of_triggers()
	frappe.db.commit()

	assert (before, jobs_of_triggers()) == (0, 1)


def jobs_of_triggers() -> int:
	jobs = [job for queue in factories.get_queues() for job in queue.jobs]
	return len([job for job in jobs if job.kwargs.get("method") == firings.WORK_JOB])


def test_job_that_was_lost_loses_nobody(site, clock, monkeypatch):
	campaign = make_campaign(clock, trigger("Record Created"))

	def refuse(*_args, **_kwargs):
		raise ConnectionError("Redis is down")

	monkeypatch.setattr(frappe, "enqueue", refuse)
	contact = factories.make_contact()
	frappe.db.commit()
	monkeypatch.undo()
	runner.dispatch_due()

	assert enrolled(campaign) == [contact.name]


def test_error_of_ours_never_stops_a_save_and_is_logged(site, clock, monkeypatch):
	make_campaign(clock, trigger("Record Created"))
	monkeypatch.setattr(doc_events, "_find_firings", lambda *_: 1 / 0)

	contact = factories.make_contact()
	frappe.db.commit()

	assert frappe.db.exists("Contact", contact.name)
	[said] = frappe.get_all(
		"Error Log", filters={"method": ["like", "Drip Campaigns could not%"]}, pluck="method"
	)
	assert contact.name in said
	frappe.db.delete("Error Log", {"method": ["like", "Drip Campaigns could not%"]})
	frappe.db.commit()


def test_statement_of_ours_that_fails_undoes_nothing_of_the_users(site, clock, monkeypatch):
	make_campaign(clock, trigger("Record Created"))
	before = factories.make_contact("Before")
	monkeypatch.setattr(
		doc_events, "record_firings", lambda *_: frappe.db.sql("SELECT no_such_column FROM tabUser")
	)

	contact = factories.make_contact("After")
	monkeypatch.undo()
	frappe.db.commit()

	assert frappe.db.exists("Contact", before.name)
	assert frappe.db.exists("Contact", contact.name)
	assert factories.count("Drip Trigger Firing") == 1
	frappe.db.delete("Error Log", {"method": ["like", "Drip Campaigns could not%"]})
	frappe.db.commit()


def test_record_that_is_deleted_fires_nothing(site, clock):
	campaign = make_campaign(
		clock, trigger("Field Reached Value", field_name="status", field_value="Passive")
	)
	contact = factories.make_contact(status="Open")
	frappe.db.set_value("Contact", contact.name, "status", "Passive")

	frappe.delete_doc("Contact", contact.name)
	work_off(clock)

	assert enrolled(campaign) == outcomes(campaign) == []


@pytest.mark.parametrize("flag", ["in_import", "drip_no_triggers"])
def test_import_can_be_told_not_to_trigger(site, clock, flag):
	campaign = make_campaign(clock, trigger("Record Created", ignore_imports=1))
	deaf_to_nothing = make_campaign(clock, trigger("Record Created"))

	frappe.flags[flag] = True
	try:
		contact = factories.make_contact()
	finally:
		frappe.flags[flag] = False
	work_off(clock)

	assert enrolled(campaign) == []
	assert enrolled(deaf_to_nothing) == ([contact.name] if flag == "in_import" else [])


def test_draft_does_not_listen_and_a_paused_campaign_does(site, clock):
	draft = factories.make_campaign(triggers=[trigger("Record Created")])
	paused = make_campaign(clock, trigger("Record Created"))
	paused.db_set("status", "Paused")
	frappe.db.commit()

	contact = factories.make_contact()
	work_off(clock)

	assert (enrolled(draft), enrolled(paused)) == ([], [contact.name])


def test_trigger_that_is_switched_off_meanwhile_enrolls_nobody_who_waits(site, clock):
	campaign = make_campaign(clock, trigger("Record Created", delay_days=1))
	factories.make_contact()
	frappe.db.commit()
	campaign.reload().triggers[0].enabled = 0
	campaign.save()

	clock.advance(days=2)
	work_off(clock)

	assert enrolled(campaign) == []
	assert outcomes(campaign) == ["The trigger or its campaign no longer runs"]


def test_same_event_told_twice_is_one_firing(site, clock):
	campaign = make_campaign(clock, trigger("Record Created"))
	[row] = trigger_cache.find_watching("Contact")
	contact = factories.make_contact()
	same = firings.Firing(row, "Contact", contact.name, "created")

	for _ in range(2):
		firings.record_firings([same, same], clock.now.replace(tzinfo=None))
	work_off(clock)

	assert factories.count("Drip Trigger Firing", campaign=campaign.name) == 1
	assert enrolled(campaign) == [contact.name]


def test_one_bad_record_among_many_stops_nobody_and_is_tried_again(site, clock, monkeypatch):
	campaign = make_campaign(clock, trigger("Record Created"))
	contacts = [factories.make_contact(f"P{n}") for n in range(3)]
	real = run_triggers.enroll_many

	def enroll_many(campaign, kind, names, now, **options):
		if contacts[1].name in names:
			raise ValueError("of no use")
		return real(campaign, kind, names, now, **options)

	monkeypatch.setattr(run_triggers, "enroll_many", enroll_many)
	work_off(clock)
	monkeypatch.undo()
	assert set(enrolled(campaign)) == {contacts[0].name, contacts[2].name}
	[waiting] = frappe.get_all(
		"Drip Trigger Firing", filters={"status": "Waiting"}, fields=["record", "outcome", "attempts"]
	)
	assert waiting == {"record": contacts[1].name, "outcome": "ValueError: of no use", "attempts": 1}

	clock.now = utc_now() + timedelta(minutes=61)
	work_off(clock)

	assert set(enrolled(campaign)) == {contact.name for contact in contacts}


def test_owner_who_may_not_enroll_any_more_loses_nobody(site, clock):
	owner = factories.make_user("owner", "Drip Manager", "System Manager")
	frappe.set_user(owner)
	campaign = make_campaign(clock, trigger("Record Created"))
	frappe.set_user("Administrator")
	contact = factories.make_contact()
	factories.make_user("owner")
	work_off(clock)
	assert enrolled(campaign) == []
	assert "may not enroll. Restore the right, or assign another owner." in outcomes(campaign)[0]

	factories.make_user("owner", "Drip Manager", "System Manager")
	clock.now = utc_now() + timedelta(minutes=61)
	work_off(clock)

	assert enrolled(campaign) == [contact.name]
	assert frappe.session.user == "Administrator"


def test_owner_without_the_right_to_all_records_takes_in_what_they_may_read(site, clock):
	owner = factories.make_user("owner", "Drip User")
	campaign = make_campaign(clock, trigger("Tag Added"))
	campaign.db_set("owner", owner)
	frappe.db.commit()
	shared, other = factories.make_contact("Shared"), factories.make_contact("Other")
	frappe.share.add("Contact", shared.name, owner, read=1)

	for contact in (shared, other):
		add_tag("Hot", "Contact", contact.name)
	work_off(clock)

	assert enrolled(campaign) == [shared.name]
	assert sorted(outcomes(campaign)) == ["Does not exist, or you may not read it", "Enrolled"]
