"""What is changed, moved, merged or deleted while people are on a campaign."""

import frappe
import pytest

from drip_campaigns.jobs import daily, dispatch_due
from drip_campaigns.jobs import deliver as delivery
from tests import factories
from tests.factories import DOMAIN, step


def subjects(smtp) -> list[str]:
	"""Return the subjects of what the server got, in order."""
	return [message.message["Subject"] for message in smtp.messages]


@pytest.mark.parametrize(
	("if_late", "received", "skipped"),
	[("Keep Intervals", ["Day 0", "Day 9"], 0), ("Keep Dates", ["Day 0"], 1)],
)
def test_step_moved_to_before_today_leaves_at_once_or_is_skipped_by_keep_dates(
	site, smtp, clock, if_late, received, skipped
):
	campaign = factories.make_active_campaign(clock, step(0), step(9), if_late=if_late)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clock.advance(days=5)

	campaign.reload().steps[1].send_after_days = 1
	campaign.save()
	for _ in range(3):
		factories.run(clock)

	assert subjects(smtp) == received
	assert factories.count("Drip Email", status="Skipped", reason="Expired") == skipped
	assert enrollment.reload().status == "Completed"


def test_steps_that_are_all_disabled_finish_everybody_and_enabled_again_reach_who_had_not_had_them(
	site, smtp, clock
):
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	statuses = []

	for enabled in (0, 1):
		campaign.reload()
		for row in campaign.steps:
			row.enabled = enabled
		campaign.save()
		clock.advance(days=3)
		daily.run(clock.now, enqueue_delivery=False)
		delivery.deliver(clock)
		statuses.append(enrollment.reload().status)

	assert statuses == ["Completed", "Completed"]
	assert subjects(smtp) == ["Day 0", "Day 2"]


def test_campaign_deleted_in_the_database_while_it_runs_stops_no_other(site, smtp, clock, monkeypatch):
	gone, stays = (factories.make_active_campaign(clock, step(0)) for _ in range(2))
	for campaign in (gone, stays):
		factories.enroll(campaign, factories.make_contact(campaign.name), clock)
	due = dispatch_due.find_campaigns_with_due

	def delete_meanwhile(*arguments) -> list[str]:
		found = due(*arguments)
		frappe.db.delete("Drip Campaign", {"name": gone.name})
		frappe.clear_document_cache("Drip Campaign", gone.name)
		frappe.db.commit()
		return found

	monkeypatch.setattr(dispatch_due, "find_campaigns_with_due", delete_meanwhile)
	factories.run(clock)

	assert [message.message["To"].addresses[0].display_name for message in smtp.messages] == [stays.name]


def test_what_is_queued_of_a_campaign_that_was_deleted_leaves_no_more(site, smtp, clock):
	gone, stays = (factories.make_active_campaign(clock, step(0)) for _ in range(2))
	for campaign in (gone, stays):
		factories.enroll(campaign, factories.make_contact(campaign.name), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	frappe.db.delete("Drip Campaign", {"name": gone.name})
	frappe.clear_document_cache("Drip Campaign", gone.name)
	frappe.db.commit()
	delivery.deliver(clock)

	assert [message.message["To"].addresses[0].display_name for message in smtp.messages] == [stays.name]


def merge(old, new) -> None:
	"""Merge one Contact into another, as the Desk does."""
	frappe.local.dynamic_link_map = None  # kept for a request, and all tests are one
	frappe.rename_doc("Contact", old.name, new.name, merge=True, force=True)
	frappe.db.commit()


def test_one_merged_into_a_record_that_is_on_no_campaign_goes_on_at_its_address(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	old, new = factories.make_contact("Old"), factories.make_contact("New")
	enrollment = factories.enroll(campaign, old, clock)
	factories.run(clock)

	merge(old, new)
	clock.advance(days=2)
	factories.run(clock)

	assert [message.recipient for message in smtp.messages] == [old.email_id, new.email_id]
	assert enrollment.reload().recipient == new.name


def test_two_merged_into_one_get_each_step_once(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), step(2), step(4))
	old, new = factories.make_contact("Old"), factories.make_contact("New")
	enrollments = [factories.enroll(campaign, contact, clock) for contact in (old, new)]
	factories.run(clock)

	merge(old, new)
	for _ in range(6):
		clock.advance(days=1)
		factories.run(clock)

	assert [m.message["Subject"] for m in smtp.to(new.email_id)] == ["Day 0", "Day 2", "Day 4"]
	assert [m.message["Subject"] for m in smtp.to(old.email_id)] == ["Day 0"]
	assert [row.reload().status for row in enrollments] == ["Exited", "Completed"]


def test_merged_into_one_who_has_left_the_campaign_gets_nothing_more(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	old, new = factories.make_contact("Old"), factories.make_contact("New")
	enrollment = factories.enroll(campaign, old, clock)
	factories.run(clock)
	frappe.get_doc(
		doctype="Email Unsubscribe",
		email=new.email_id,
		reference_doctype="Drip Campaign",
		reference_name=campaign.name,
	).insert()

	merge(old, new)
	clock.advance(days=2)
	factories.run(clock)

	assert [message.recipient for message in smtp.messages] == [old.email_id]
	assert enrollment.reload().status == "Unsubscribed"


def test_address_changed_midway_gets_the_next_step_and_what_is_queued_goes_where_it_was_made_for(
	site, smtp, clock
):
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	contact = factories.make_contact("Ada", f"old@{DOMAIN}")
	enrollment = factories.enroll(campaign, contact, clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	frappe.db.set_value("Contact", contact.name, "email_id", f"new@{DOMAIN}")
	frappe.db.commit()
	delivery.deliver(clock)
	clock.advance(days=2)
	factories.run(clock)

	assert [message.recipient for message in smtp.messages] == [f"old@{DOMAIN}", f"new@{DOMAIN}"]
	assert enrollment.reload().email_address == f"new@{DOMAIN}"
