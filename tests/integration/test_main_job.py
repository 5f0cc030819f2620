"""The main job, end to end: enrolled, sent when due, recorded, left."""

import frappe

from tests import factories
from tests.factories import DOMAIN


def test_step_of_today_leaves_with_the_next_dispatch(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada", f"ada@{DOMAIN}")
	enrollment = factories.enroll(campaign, contact, clock)

	factories.run(clock)

	[received] = smtp.messages
	assert received.recipient == f"ada@{DOMAIN}"
	enrollment.reload()
	assert enrollment.status == "In Progress"
	assert str(enrollment.end_date) == "2026-03-06"


def test_second_run_on_the_same_day_sends_nothing_again(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	factories.enroll(campaign, factories.make_contact(), clock)

	for _ in range(3):
		factories.run(clock)

	assert len(smtp.messages) == 1


def test_enrollment_is_completed_after_its_last_step(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)

	for _ in range(5):
		factories.run(clock)
		clock.advance(days=1)

	enrollment.reload()
	assert enrollment.status == "Completed"
	assert [message.message["Subject"] for message in smtp.messages] == ["Day 0", "Day 2", "Day 4"]
	assert (
		factories.count("Communication", reference_doctype="Drip Enrollment", reference_name=enrollment.name)
		== 3
	)
	assert frappe.get_all("Drip Email", pluck="status") == ["Sent"] * 3
