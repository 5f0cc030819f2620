"""What is remembered of a record ends with the record: naming series give its name to the next one."""

import frappe
import pytest

from drip_campaigns.api import lists
from drip_campaigns.enrollment.deleted_records import forget_deleted
from drip_campaigns.enrollment.restart import restart_enrollments
from drip_campaigns.enrollment.resume import resume_enrollments
from drip_campaigns.enrollment.why_not import explain
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due, run_actions
from drip_campaigns.people.exclusions import Exclusions
from drip_campaigns.people.recipients import load_recipients
from tests import factories, verbs
from tests.factories import DOMAIN, step
from tests.trigger_steps import enrolled, make_campaign, trigger, work_off

NAME = "Same Name"


def make(first_name: str):
	"""Insert a Contact under the name that the one before it had, as a naming series does."""
	contact = factories.make_contact(first_name, f"{first_name.lower()}@{DOMAIN}")
	frappe.local.dynamic_link_map = None  # kept for a request, and all tests are one
	return frappe.get_doc("Contact", frappe.rename_doc("Contact", contact.name, NAME, force=True))


def delete(contact) -> None:
	"""Delete a Contact as Desk does."""
	frappe.local.dynamic_link_map = None
	frappe.delete_doc("Contact", contact.name)


def delete_in_database(contact) -> None:
	"""Delete a Contact without hooks."""
	frappe.db.delete("Contact", {"name": contact.name})
	frappe.clear_document_cache("Contact", contact.name)


@pytest.fixture(params=[delete, delete_in_database], ids=["by Desk", "in the database"])
def gone(request):
	"""The ways in which a record can be deleted."""
	return request.param


def test_deleting_a_record_ends_its_enrollment_and_cancels_what_is_queued_at_once(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	spam = make("Spam")
	enrollment = factories.enroll(campaign, spam, clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	delete(spam)
	frappe.db.commit()

	enrollment.reload()
	assert (enrollment.status, enrollment.exit_reason) == ("Exited", "Recipient Deleted")
	assert not (enrollment.live_recipient or enrollment.live_address or enrollment.recipient)
	assert frappe.db.get_value("Drip Email", {"enrollment": enrollment.name}, "status") == "Skipped"
	delivery.deliver(clock)
	assert smtp.messages == []


def test_enrollment_stays_as_it_is_if_the_deletion_is_undone(site, clock):
	enrollment = factories.enroll(factories.make_active_campaign(clock), spam := make("Spam"), clock)

	delete(spam)
	frappe.db.rollback()

	assert enrollment.reload().status in ("Scheduled", "In Progress")
	assert enrollment.recipient == NAME


def test_next_record_of_the_name_gets_none_of_the_old_ones_emails(site, smtp, clock, gone):
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	enrollment = factories.enroll(campaign, spam := make("Spam"), clock)
	factories.run(clock)

	gone(spam)
	make("Petra")
	frappe.db.commit()
	clock.advance(days=2)
	factories.run(clock)

	assert smtp.to(f"petra@{DOMAIN}") == []
	assert (enrollment.reload().status, enrollment.exit_reason) == ("Exited", "Recipient Deleted")


@pytest.mark.parametrize("rule", ["Never", "Resume", "Restart"])
def test_next_record_of_the_name_begins_anew_whatever_the_rule_on_re_enrollment(
	site, smtp, clock, gone, rule
):
	campaign = factories.make_active_campaign(clock, step(0), step(2), re_enrollment=rule)
	old = factories.enroll(campaign, spam := make("Spam"), clock)
	factories.run(clock)
	gone(spam)
	petra = make("Petra")
	frappe.db.commit()

	why_not = explain(campaign.name, "Contact", petra.name, clock.now)
	new = factories.enroll(campaign, petra, clock)
	factories.run(clock)

	assert why_not["would_enroll"]
	assert new.name != old.name
	assert [mail.message["Subject"] for mail in smtp.to(petra.email_id)] == ["Day 0"]
	assert old.reload().status == "Exited"


def test_nothing_resumes_or_restarts_across_a_deletion(site, smtp, clock, gone):
	campaign = factories.make_active_campaign(clock)
	old, kept = (factories.enroll(campaign, who, clock) for who in (make("Spam"), factories.make_contact()))
	gone(frappe.get_doc("Contact", NAME))
	petra = make("Petra")
	factories.enroll(campaign, petra, clock)

	resumed = resume_enrollments([old.name, kept.name], clock.now)
	restarted = restart_enrollments([old.name, kept.name], clock.now)

	assert old.name in resumed.refusals
	assert old.name in restarted.refusals and restarted.done == 1
	assert factories.count("Drip Enrollment", recipient=NAME) == 1


def test_next_record_of_the_name_fires_the_trigger_of_the_old_one_again(site, clock, gone):
	campaign = make_campaign(clock, trigger("Record Created"))
	spam = factories.make_contact("Spam", f"spam@{DOMAIN}")
	work_off(clock)
	gone(spam)

	petra = factories.make_contact("Spam", f"petra@{DOMAIN}")
	work_off(clock)

	assert petra.name == spam.name
	new = {"campaign": campaign.name, "email_address": petra.email_id}
	assert factories.count("Drip Enrollment", **new) == 1


def test_firing_that_waits_enrolls_nobody_else(site, clock, gone):
	campaign = make_campaign(clock, trigger("Record Created", delay_days=3))
	spam = factories.make_contact("Spam", f"spam@{DOMAIN}")
	frappe.db.commit()
	gone(spam)
	frappe.flags.drip_no_triggers = True
	factories.make_contact("Spam", f"petra@{DOMAIN}")
	frappe.flags.drip_no_triggers = None

	clock.advance(days=4)
	work_off(clock)

	assert enrolled(campaign) == []


def test_list_forgets_the_record_and_keeps_the_opt_out_of_the_address(site, clock, gone):
	news, other = factories.make_list("Drip Test News"), factories.make_list("Drip Test Other")
	spam = make("Spam")
	out, _stays = factories.add_to_list(news, spam), factories.add_to_list(other, spam)
	lists.remove_from_list(out.name, "asked")
	gone(spam)

	petra = make("Petra")
	for target_list in (news, other):
		factories.add_to_list(target_list, petra)

	rows = frappe.get_all(
		"Drip Target List Member",
		fields=["email_address", "opted_out", "target_list"],
		order_by="target_list, creation",
	)
	assert [(row.email_address, row.opted_out) for row in rows] == [
		(f"spam@{DOMAIN}", 1),
		(petra.email_id, 0),
		(petra.email_id, 0),
	]
	assert [frappe.db.get_value("Drip Target List", one.name, "member_count") for one in (news, other)] == [
		1,
		1,
	]


def test_exclusion_of_a_list_does_not_pass_to_the_next_record_of_the_name(site, clock, gone):
	spam = make("Spam")
	staff = factories.make_list("Drip Test Staff", spam)
	gone(spam)
	petra = load_recipients("Contact", [make("Petra").name])[NAME]

	assert Exclusions(lists=[staff.name]).find([petra]) == {}


def test_action_on_exit_is_not_done_for_the_next_record_of_the_name(site, clock, gone):
	on_exit = {"step_type": "Action", "action": "Add Tag", "action_tag": "Gone", "run_when": "On Exit"}
	campaign = factories.make_active_campaign(clock, step(0), {**on_exit, "send_after_days": 1})
	enrollment = factories.enroll(campaign, spam := make("Spam"), clock)
	verbs.remove(enrollment, clock.now)
	frappe.db.commit()
	gone(spam)
	petra = make("Petra")
	frappe.db.commit()

	clock.advance(days=2)
	run_actions.run(clock.now)

	assert "Gone" not in (frappe.db.get_value("Contact", petra.name, "_user_tags") or "")


def test_record_merged_into_another_one_on_its_list_keeps_one_row_and_every_opt_out(site, clock):
	news, other = factories.make_list("Drip Test News"), factories.make_list("Drip Test Other")
	old, new = factories.make_contact("Old"), factories.make_contact("New")
	for record in (old, new):
		factories.add_to_list(news, record)
	out = factories.add_to_list(other, old)
	factories.add_to_list(other, new)
	lists.remove_from_list(out.name, "asked")

	frappe.local.dynamic_link_map = None
	frappe.rename_doc("Contact", old.name, new.name, merge=True, force=True)

	fields = ["target_list", "recipient", "email_address", "opted_out"]
	rows = frappe.get_all(
		"Drip Target List Member", fields=fields, order_by="target_list, opted_out", as_list=True
	)
	assert list(rows) == [
		(news.name, new.name, new.email_id, 0),
		(other.name, new.name, new.email_id, 0),
		(other.name, None, old.email_id, 1),
	]
	assert [frappe.db.get_value("Drip Target List", one.name, "member_count") for one in (news, other)] == [
		1,
		1,
	]


def test_deleting_other_records_asks_the_database_nothing(site):
	note = frappe.get_doc(doctype="Note", title="Nobody's").insert()
	forget_deleted(note)  # reads the settings, which Frappe keeps

	with factories.count_statements() as statements:
		forget_deleted(note)

	assert statements.count == 0
	note.delete()


@pytest.mark.parametrize("doctype", ["Drip Campaign", "Drip Target List"])
def test_campaigns_and_lists_are_not_merged(site, doctype):
	make_one = {"Drip Campaign": factories.make_campaign, "Drip Target List": factories.make_list}[doctype]
	one, other = make_one(), make_one()

	with pytest.raises(frappe.ValidationError, match="cannot be merged"):
		frappe.rename_doc(doctype, one.name, other.name, merge=True)

	assert frappe.db.exists(doctype, one.name)


def test_every_record_of_ours_that_can_be_renamed_refuses_to_be_merged(site):
	found = frappe.get_all("DocType", {"module": "Drip Campaigns", "allow_rename": 1}, pluck="name")

	assert sorted(found) == ["Drip Campaign", "Drip Target List"]
