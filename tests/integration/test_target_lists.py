"""Target lists: an address is on a list once and opts out of it separately, and enrollments through the list end."""

import frappe
import pytest

from drip_campaigns.api import lists
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.list_membership import resubscribe_to_list, unsubscribe_from_list
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from tests import factories
from tests.factories import DOMAIN

ADA = f"ada@{DOMAIN}"


@pytest.fixture
def ada(site):
	"""Ada, a Contact."""
	return factories.make_contact("Ada", ADA)


@pytest.fixture
def news(ada):
	"""A list with Ada on it."""
	return factories.make_list("Drip Test News", ada)


def test_member_is_filled_from_its_record(news):
	member = frappe.get_last_doc("Drip Target List Member")

	assert (member.recipient_name, member.email_address, member.opted_out) == ("Ada", ADA, 0)
	assert member.joined_at


def test_list_has_each_record_and_each_address_once_however_it_is_spelled(news, ada):
	other = factories.make_contact("Ada Two", f"ADA@{DOMAIN}")

	for record in (ada, other):
		with pytest.raises(frappe.UniqueValidationError) as caught:
			factories.add_to_list(news, record)
		assert f"is already on list {news.name}" in str(caught.value)

	assert factories.count("Drip Target List Member", target_list=news.name) == 1


@pytest.mark.parametrize(
	("address", "words"), [(None, "has no valid email address (empty)"), ("", "")], ids=["none", "good"]
)
def test_record_without_an_address_is_refused_with_cause_and_remedy(news, address, words):
	contact = factories.make_contact("Bob", address)

	if not words:
		assert factories.add_to_list(news, contact).email_address == contact.email_id
		return
	with pytest.raises(frappe.ValidationError) as caught:
		factories.add_to_list(news, contact)
	assert contact.name in str(caught.value)
	assert words in str(caught.value)


def test_list_that_recipients_see_needs_a_title_for_them(site):
	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_list("Drip Test Untitled", show_to_recipients=1)

	assert "Enter its Public Title" in str(caught.value)


def test_record_that_a_user_may_not_read_is_not_put_on_a_list(news):
	contact = factories.make_contact("Secret", f"secret@{DOMAIN}")
	frappe.set_user(factories.make_user("blind", "Drip User"))

	with pytest.raises(frappe.PermissionError):
		factories.add_to_list(news, contact)


def test_who_leaves_a_list_gets_nothing_more_that_came_through_it_and_everything_else(news, ada, smtp, clock):
	through, beside = (factories.make_active_campaign(clock) for _ in range(2))
	gone = factories.enroll(through, ada, clock, target_list=news.name)
	stays = factories.enroll(beside, ada, clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	assert unsubscribe_from_list(news.name, f"Ada@{DOMAIN}", clock.now) is True
	assert unsubscribe_from_list(news.name, ADA, clock.now) is False
	frappe.db.commit()
	delivery.deliver(clock)
	clock.advance(days=5)
	factories.run(clock)

	assert frappe.db.get_value("Drip Enrollment", gone.name, "status") == "Unsubscribed"
	assert frappe.db.get_value("Drip Enrollment", stays.name, "status") != "Unsubscribed"
	assert {frappe.db.get_value("Drip Email", m, "status") for m in emails_of(gone)} == {"Skipped"}
	assert smtp.messages
	assert len(smtp.messages) == len([m for m in emails_of(stays)])


def emails_of(enrollment) -> list[str]:
	"""Return the Drip Emails of an enrollment."""
	return frappe.get_all("Drip Email", filters={"enrollment": enrollment.name}, pluck="name")


def test_flag_alone_stops_the_next_step(news, ada, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, ada, clock, target_list=news.name)
	frappe.db.set_value("Drip Target List Member", {"target_list": news.name}, "opted_out", 1)
	frappe.db.commit()

	factories.run(clock)

	assert smtp.messages == []
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "status") == "Unsubscribed"
	[event] = frappe.get_all("Drip Event", filters={"event_type": "Unsubscribed"}, pluck="detail")
	assert event == f"The recipient has unsubscribed from the list {news.name}."


def test_who_has_left_is_not_enrolled_through_the_list_one_by_one_or_in_bulk(news, ada, clock):
	campaign = factories.make_active_campaign(clock)
	bob = factories.make_contact("Bob")
	unsubscribe_from_list(news.name, ADA, clock.now)

	with pytest.raises(Exception) as caught:
		factories.enroll(campaign, ada, clock, target_list=news.name)
	[result] = enroll_many(campaign.name, "Contact", [ada.name, bob.name], clock.now, target_list=news.name)

	assert f"Contact Ada has unsubscribed from the list {news.name}." in str(caught.value)
	assert (result.enrolled, dict(result.refused)) == (1, {f"Has unsubscribed from the list {news.name}": 1})
	assert frappe.db.get_value("Drip Enrollment", {"recipient": bob.name}, "target_list") == news.name


def test_who_comes_back_to_a_list_is_enrolled_through_it_again(news, ada, clock):
	campaign = factories.make_active_campaign(clock)
	unsubscribe_from_list(news.name, ADA, clock.now)

	assert resubscribe_to_list(news.name, ADA) is True
	assert resubscribe_to_list(news.name, ADA) is False
	factories.enroll(campaign, ada, clock, target_list=news.name)

	assert factories.count("Drip Enrollment", target_list=news.name, status="In Progress") == 1


def test_who_has_left_is_not_taken_off_and_put_on_again(news, clock):
	unsubscribe_from_list(news.name, ADA, clock.now)
	member = frappe.get_last_doc("Drip Target List Member")

	with pytest.raises(frappe.ValidationError) as caught:
		member.delete()

	assert "it records the opt-out" in str(caught.value)
	assert frappe.db.exists("Drip Target List Member", member.name)


def test_opt_out_is_not_changed_by_saving_the_form(news):
	member = frappe.get_last_doc("Drip Target List Member")

	member.opted_out = 1
	with pytest.raises(frappe.ValidationError) as caught:
		member.save()

	assert "Opted Out" in str(caught.value)


def test_list_in_use_is_not_deleted_and_one_that_is_not_takes_its_members_along(news, ada, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, ada, clock, target_list=news.name)

	with pytest.raises(frappe.ValidationError) as caught:
		news.delete()
	frappe.get_doc("Drip Enrollment", enrollment.name).db_set("status", "Completed")
	news.delete()

	assert f"List {news.name} has 1 live enrollments" in str(caught.value)
	assert factories.count("Drip Target List Member") == 0
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "target_list") is None


def test_renamed_list_keeps_its_members_and_their_opt_outs(news, ada, clock):
	unsubscribe_from_list(news.name, ADA, clock.now)

	frappe.rename_doc("Drip Target List", news.name, "Drip Test Renamed")

	assert factories.count("Drip Target List Member", target_list="Drip Test Renamed", opted_out=1) == 1
	assert unsubscribe_from_list("Drip Test Renamed", ADA, clock.now) is False


def test_record_on_a_list_can_be_deleted(news, ada):
	ada.delete()

	assert factories.count("Drip Target List Member") == 0
	assert news.reload().member_count == 0


def test_user_lets_a_person_leave_a_list_and_come_back_with_the_reason_in_the_log(news, ada, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, ada, clock, target_list=news.name)
	member = frappe.get_last_doc("Drip Target List Member")

	lists.remove_from_list(member.name, "Called us on Monday")
	left = (member.reload().opted_out, enrollment.reload().status)
	lists.restore_to_list(member.name, " Called again <b>today</b> ")

	details = frappe.get_all("Drip Event", filters={"detail": ["like", "%Called%"]}, pluck="detail")
	assert left == (1, "Unsubscribed")
	assert (member.reload().opted_out, len(details)) == (0, 2)
	assert f"Opted out of list {news.name}: Called us on Monday" in details
	comments = frappe.get_all("Comment", filters={"reference_name": member.name}, pluck="content")
	assert len(comments) == 2
	assert not any("<b>" in comment for comment in comments)


def test_leaving_a_list_for_a_person_needs_a_reason_and_the_right_to_write(news, clock):
	member = frappe.get_last_doc("Drip Target List Member")

	with pytest.raises(frappe.ValidationError) as caught:
		lists.remove_from_list(member.name, "  ")
	frappe.set_user(factories.make_user("reader"))
	with pytest.raises(frappe.PermissionError):
		lists.remove_from_list(member.name, "Called us")
	frappe.set_user("Administrator")

	assert "Enter who asked for it, and how." in str(caught.value)
	assert member.reload().opted_out == 0
