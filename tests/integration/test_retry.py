"""The ledger balances; what failed can be tried again, what was missed can be sent, and pressing twice is harmless."""

import time
from datetime import timedelta

import frappe
import pytest

from drip_campaigns.dispatch import retry
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.jobs.repair import repair
from drip_campaigns.outbox import emails
from drip_campaigns.site.clock import to_site
from drip_campaigns.stats.ledger import read_ledger
from tests import factories
from tests.factories import DOMAIN
from tests.processes import run_together

LATER = f"later@{DOMAIN}"


def test_every_due_step_stands_in_the_ledger_once(site, smtp, clock):
	smtp.answer(f"gone@{DOMAIN}", "550 5.1.1 no such user")
	smtp.answer(f"later@{DOMAIN}", "450 4.2.1 try again")
	campaign = factories.make_active_campaign(clock)
	for name in ("fine", "gone", "later"):
		factories.enroll(campaign, factories.make_contact(name, f"{name}@{DOMAIN}"), clock)

	factories.run(clock)

	assert read_ledger(campaign.name) == {
		"due": 3, "sent": 1, "skipped": 0, "failed": 1, "waiting": 1, "in_doubt": 0,
	}  # fmt: skip


def test_failed_enrollment_is_tried_again_once_however_often_it_is_asked_for(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, factories.step(0), factories.step(1))
	contact = factories.make_contact("Lost", f"lost@{DOMAIN}")
	enrollment = factories.enroll(campaign, contact, clock)
	frappe.db.set_value("Contact", contact.name, "email_id", "")
	frappe.db.commit()
	for _ in range(5):
		factories.run(clock)
		clock.advance(days=1)
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "status") == "Failed"

	frappe.db.set_value("Contact", contact.name, "email_id", f"found@{DOMAIN}")
	first, second = retry.retry_failed(campaign, clock.now), retry.retry_failed(campaign, clock.now)
	frappe.db.commit()
	factories.run(clock)

	assert (first["enrollments"], second["enrollments"]) == (1, 0)
	assert [message.recipient for message in smtp.messages] == [f"found@{DOMAIN}"]


@pytest.fixture
def given_up(site, smtp, clock):
	"""An enrollment that is Completed although its one email was given up: the server has said "later" for three days."""
	campaign = factories.make_active_campaign(clock, factories.step(0))
	enrollment = factories.enroll(campaign, factories.make_contact("Later", LATER), clock)
	smtp.answer(LATER, "450 4.2.1 try again")
	factories.run(clock)
	four_days_ago = to_site(clock.advance(minutes=16) - timedelta(days=4))
	frappe.db.set_value("Drip Email", {"enrollment": enrollment.name}, "queued_at", four_days_ago)
	frappe.db.commit()
	factories.run(clock)
	smtp.reset()
	assert (enrollment.reload().status, read_ledger(campaign.name)["failed"]) == ("Completed", 1)
	return enrollment


def test_e_mail_that_was_given_up_leaves_once_and_who_was_done_is_done_again(given_up, smtp, clock):
	campaign = frappe.get_doc("Drip Campaign", given_up.campaign)

	first, second = retry.retry_failed(campaign, clock.now), retry.retry_failed(campaign, clock.now)
	waiting = given_up.reload().status
	frappe.db.commit()
	factories.run(clock)

	assert (first["emails"], second["emails"], waiting) == (1, 0, "In Progress")
	assert [message.recipient for message in smtp.messages] == [LATER]
	assert (given_up.reload().status, read_ledger(campaign.name)["sent"]) == ("Completed", 1)


def test_e_mail_that_was_given_up_is_not_tried_again_for_who_has_left_since(given_up, clock):
	values = {"reference_doctype": "Drip Campaign", "reference_name": given_up.campaign}
	frappe.get_doc(doctype="Email Unsubscribe", email=LATER, **values).insert()

	assert retry.retry_failed(frappe.get_doc("Drip Campaign", given_up.campaign), clock.now)["emails"] == 0
	assert given_up.reload().status == "Completed"


def test_step_that_was_skipped_for_being_overdue_can_be_sent_once(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock, factories.step(0), factories.step(9), if_late="Keep Dates", grace_hours=24
	)
	nobody = factories.make_contact("Nobody")
	enrollments = [factories.enroll(campaign, one, clock) for one in (nobody, factories.make_contact())]
	clock.advance(days=3)
	factories.run(clock)
	assert read_ledger(campaign.name)["skipped"] == 2
	frappe.db.set_value("Contact", nobody.name, "email_id", "")

	sent = [retry.send_missed(campaign, clock.now) for _ in range(2)]
	frappe.db.commit()
	factories.run(clock)

	assert sent == [1, 0]
	assert [message.message["Subject"] for message in smtp.messages] == ["Day 0"]
	assert read_ledger(campaign.name) == {
		"due": 2, "sent": 1, "skipped": 1, "failed": 0, "waiting": 0, "in_doubt": 0,
	}  # fmt: skip
	errors = [enrollment.reload().last_error for enrollment in enrollments]
	assert f"“Day 0”: Contact {nobody.name} has no email address" in errors[0]
	assert not errors[1]


def test_repair_reopens_what_is_called_completed_while_an_email_is_under_way(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, factories.step(0))
	smtp.answer(f"later@{DOMAIN}", "450 4.2.1 try again")
	enrollment = factories.enroll(campaign, factories.make_contact("Later", f"later@{DOMAIN}"), clock)
	factories.run(clock)
	frappe.db.set_value("Drip Enrollment", enrollment.name, "status", "Completed")
	frappe.db.commit()

	result = repair(clock.now)

	assert result["reopened"] == 1
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "status") == "In Progress"


def claim_and_hold(site_now, limit: int) -> int:
	claimed = len(emails.claim_mail(site_now, limit))
	time.sleep(1)  # while the other claims
	return claimed


def test_two_workers_share_what_waits(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, factories.step(0))
	for _ in range(6):
		factories.enroll(campaign, factories.make_contact(), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	shares = run_together(claim_and_hold, [(to_site(clock.now), 3)] * 2)

	assert shares == [3, 3]


def deliver_all(now) -> int:
	return delivery.deliver(lambda: now)


def test_four_workers_at_once_send_each_email_once(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, factories.step(0))
	for _ in range(60):
		factories.enroll(campaign, factories.make_contact(), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	shares = run_together(deliver_all, [(clock.now,)] * 4)

	assert sum(shares) == 60
	assert len({message.recipient for message in smtp.messages}) == len(smtp.messages) == 60
