"""An email that waited in the queue: the next one waits for it, and keeps its distance from when it left."""

from datetime import timedelta

import frappe
import pytest

from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.site.clock import from_site, to_site, utc_now
from tests import factories, verbs
from tests.factories import DOMAIN, step

ADA = f"ada@{DOMAIN}"


@pytest.fixture
def enrollment(site, clock):
	"""Ada on a campaign with steps on days 0, 1 and 3."""
	campaign = factories.make_active_campaign(clock, step(0), step(1), step(3))
	return factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)


def run_for(clock, hours: int) -> None:
	"""Run every ten minutes: often enough for what is queued never to be left to Frappe's own flush."""
	for _run in range(hours * 6):
		clock.advance(minutes=10)
		factories.run(clock)


def hold_all_sending(value: int) -> None:
	settings = frappe.get_doc("Drip Settings")
	settings.pause_sending = value
	settings.save()
	frappe.db.commit()


def subjects_to_ada(smtp) -> list[str]:
	return [received.message["subject"] for received in smtp.to(ADA)]


def test_after_two_days_without_mail_server_one_e_mail_arrives_and_the_next_a_day_later(
	enrollment, smtp, clock
):
	smtp.stop()
	try:
		factories.run(clock)
		run_for(clock, 48)
	finally:
		smtp.start()
	run_for(clock, 1)
	at_once = subjects_to_ada(smtp)
	run_for(clock, 22)
	a_day_later = subjects_to_ada(smtp)
	run_for(clock, 3)

	assert len(at_once) == len(a_day_later) == 1
	assert len(subjects_to_ada(smtp)) == 2
	run_for(clock, 49)
	assert len(set(subjects_to_ada(smtp))) == len(subjects_to_ada(smtp)) == 3
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "status") == "Completed"


def test_after_hold_all_sending_one_e_mail_arrives_and_the_end_date_has_moved(site, smtp, clock):
	clock.now = utc_now() - timedelta(
		hours=48
	)  # the settings read the clock themselves when the brake is let go
	campaign = factories.make_active_campaign(clock, step(0), step(1), step(3))
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	planned_end = frappe.db.get_value("Drip Enrollment", enrollment.name, "end_date")
	hold_all_sending(1)
	run_for(clock, 48)
	hold_all_sending(0)

	run_for(clock, 5)

	assert len(subjects_to_ada(smtp)) == 1
	end_date = frappe.db.get_value("Drip Enrollment", enrollment.name, "end_date")
	assert (end_date - planned_end).days == 2


def test_the_next_step_goes_on_when_the_one_before_is_given_up(enrollment, smtp, clock):
	smtp.answer_text(ADA, "451 4.3.0 later")
	factories.run(clock)
	run_for(clock, 3 * 24 + 1)
	smtp.reset()

	run_for(clock, 2)

	assert len(subjects_to_ada(smtp)) == 1
	statuses = frappe.get_all(
		"Drip Email", filters={"enrollment": enrollment.name}, order_by="planned_at", pluck="status"
	)
	assert statuses == ["Failed", "Sent"]


def test_two_steps_at_the_same_time_do_not_wait_for_each_other(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), step(0))
	factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)

	factories.run(clock)

	assert len(subjects_to_ada(smtp)) == 2


def test_waiting_for_a_late_e_mail_costs_a_dispatch_one_look_an_hour(enrollment, smtp, clock):
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	clock.advance(days=1, hours=1)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	next_send_at = frappe.db.get_value("Drip Enrollment", enrollment.name, "next_send_at")

	assert from_site(next_send_at) - clock.now == timedelta(hours=1)
	assert frappe.db.count("Drip Email", {"enrollment": enrollment.name}) == 1


def test_a_pause_while_an_e_mail_waits_is_not_counted_twice(enrollment, smtp, clock):
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	clock.advance(hours=1)
	verbs.pause(frappe.get_doc("Drip Enrollment", enrollment.name), clock.now)
	clock.advance(days=2)
	verbs.resume(frappe.get_doc("Drip Enrollment", enrollment.name), clock.now)
	frappe.db.commit()

	factories.run(clock)

	next_send_at = frappe.db.get_value("Drip Enrollment", enrollment.name, "next_send_at")
	assert len(subjects_to_ada(smtp)) == 1
	assert from_site(next_send_at) - clock.now == timedelta(days=1)


def test_campaign_that_cannot_be_planned_any_more_keeps_no_late_e_mail_from_being_written_down(
	enrollment, smtp, clock
):
	other = factories.make_active_campaign(clock, step(0), step(2))
	factories.enroll(other, factories.make_contact(), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	frappe.db.set_value("Drip Email", {}, "queued_at", to_site(clock.now - timedelta(hours=1)))
	frappe.db.set_value("Drip Campaign", enrollment.campaign, "time_zone", "Atlantis/Capital")
	frappe.clear_document_cache("Drip Campaign", enrollment.campaign)
	frappe.db.commit()

	accepted = delivery.deliver(clock)

	assert accepted == len(smtp.messages) == factories.count("Drip Email", status="Sent") == 2
