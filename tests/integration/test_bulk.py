"""Enrolling many at once: the same rules as one by one, in a handful of statements."""

import json
from datetime import timedelta
from unittest import mock

import frappe
import pytest
from frappe.utils.background_jobs import get_queues

from drip_campaigns.api import desk
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.refusals import VerbResult
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.site.clock import to_site, utc_now
from tests import factories
from tests.factories import DOMAIN
from tests.fakes import Clock


def bulk(campaign, records, clock, **options) -> VerbResult:
	total = VerbResult()
	for result in enroll_many(campaign.name, "Contact", [r.name for r in records], clock.now, **options):
		total.add(result)
		frappe.db.commit()
	return total


def test_many_are_enrolled_and_get_their_first_step(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	contacts = [factories.make_contact() for _ in range(5)]

	result = bulk(campaign, contacts, clock, batch_size=2)
	factories.run(clock)

	assert result.enrolled == 5
	assert len(smtp.messages) == 5
	assert factories.count("Drip Event", event_type="Enrolled") == 5


def test_who_cannot_be_enrolled_is_counted_by_reason_and_stops_nobody(site, clock):
	campaign = factories.make_active_campaign(clock)
	fine, twin = (
		factories.make_contact("Fine", f"same@{DOMAIN}"),
		factories.make_contact("Twin", f"SAME@{DOMAIN}"),
	)
	nobody = factories.make_contact("Nobody", None)
	flagged = factories.make_contact("Flagged", unsubscribed=1)

	result = bulk(campaign, [fine, twin, nobody, flagged], clock)

	assert result.enrolled == 1
	assert dict(result.refused) == {
		"Has the same address as another record in the campaign": 1,
		"Has no email address": 1,
		"Is marked as unsubscribed": 1,
	}


def test_running_it_again_enrolls_only_those_who_are_not_on_it_yet(site, clock):
	campaign = factories.make_active_campaign(clock)
	contacts = [factories.make_contact() for _ in range(3)]
	bulk(campaign, contacts[:2], clock)

	result = bulk(campaign, contacts, clock)

	assert result.enrolled == 1
	assert result.refused["Is already in the campaign"] == 2
	assert factories.count("Drip Enrollment", campaign=campaign.name) == 3


def test_one_by_one_and_in_bulk_make_the_same_enrollment(site, clock):
	campaign = factories.make_active_campaign(clock)
	single = factories.enroll(campaign, factories.make_contact("Same Name", f"one@{DOMAIN}"), clock)
	other = factories.make_contact("Same Name", f"two@{DOMAIN}")

	bulk(campaign, [other], clock)

	[made] = frappe.get_all("Drip Enrollment", filters={"recipient": other.name}, pluck="name")
	left, right = single.as_dict(), frappe.get_doc("Drip Enrollment", made).as_dict()
	own = {"name", "recipient", "recipient_created_at", "email_address", "live_recipient", "live_address"}
	stamps = {"creation", "modified"}
	assert {key: left.get(key) or None for key in left if key not in own | stamps} == {
		key: right.get(key) or None for key in left if key not in own | stamps
	}


def make_run(campaign, **fields):
	run = frappe.get_doc(
		doctype="Drip Bulk Enrollment",
		campaign=campaign.name,
		recipient_type="Contact",
		recipient_filters=json.dumps([["Contact", "email_id", "like", f"%@{DOMAIN}"]]),
		**fields,
	).insert()
	frappe.db.commit()
	return run


def test_run_in_the_background_counts_what_it_did(site, monkeypatch):
	campaign = factories.make_active_campaign(Clock(utc_now()))
	for name in ("a", "b", "c"):
		factories.make_contact(name)
	factories.make_contact("d", unsubscribed=1)
	monkeypatch.setattr(bulk_enrollment, "BATCH_SIZE", 2)
	run = make_run(campaign)

	bulk_enrollment.run(run.name)

	run.reload()
	assert (run.status, run.total, run.processed, run.enrolled, run.refused) == ("Completed", 4, 4, 3, 1)
	assert run.reasons == "1 × Is marked as unsubscribed"


def test_run_that_was_cancelled_goes_on_where_it_stopped(site, monkeypatch):
	campaign = factories.make_active_campaign(Clock(utc_now()))
	for _ in range(5):
		factories.make_contact()
	monkeypatch.setattr(bulk_enrollment, "BATCH_SIZE", 2)
	run = make_run(campaign)
	monkeypatch.setattr(
		bulk_enrollment, "_show_progress", lambda document: desk.cancel_bulk_enrollment(document.name)
	)
	bulk_enrollment.run(run.name)
	run.reload()
	assert (run.status, run.processed) == ("Cancelled", 2)

	monkeypatch.undo()
	desk.resume_bulk_enrollment(run.name)
	frappe.db.commit()
	bulk_enrollment.run(run.name)

	run.reload()
	assert (run.status, run.enrolled) == ("Completed", 5)
	assert factories.count("Drip Enrollment", campaign=campaign.name) == 5


@pytest.mark.parametrize(
	("error", "said"),
	[
		(None, "3 of 3 enrolled, 0 not. The run is completed."),
		(OSError("No disk"), "The run failed: OSError"),
	],
)
def test_who_has_left_a_long_run_is_told_what_came_of_it(site, monkeypatch, error, said):
	campaign = factories.make_active_campaign(Clock(utc_now()))
	for _ in range(3):
		factories.make_contact()
	user = factories.make_user("enroller", "Drip Manager", "Sales User")
	run = make_run(campaign)
	run.db_set("owner", user)
	monkeypatch.setattr(bulk_enrollment, "NOTIFY_ABOVE", 2)
	if error:
		monkeypatch.setattr(bulk_enrollment, "_record_progress", mock.Mock(side_effect=error))

	bulk_enrollment.run(run.name)

	[told] = [line for line in factories.notifications_of(user) if campaign.name in line]
	assert said in told


def test_run_goes_on_after_a_deadlock_and_after_its_worker_was_killed(site, monkeypatch):
	campaign = factories.make_active_campaign(Clock(utc_now()))
	for _ in range(3):
		factories.make_contact()
	monkeypatch.setattr(bulk_enrollment, "BATCH_SIZE", 2)
	run = make_run(campaign)
	factories.drop_jobs()
	note, calls = bulk_enrollment._record_progress, []

	def fail_once(*args) -> None:
		calls.append(1)
		if len(calls) == 1:
			raise frappe.QueryDeadlockError("1213 Deadlock found when trying to get lock")
		if len(calls) == 3:
			raise KeyboardInterrupt  # what stands for kill -9
		note(*args)

	monkeypatch.setattr(bulk_enrollment, "_record_progress", fail_once)
	with pytest.raises(KeyboardInterrupt):
		bulk_enrollment.run(run.name)
	frappe.db.rollback()
	assert (run.reload().status, run.processed) == ("Running", 2)

	bulk_enrollment.resume_orphaned()  # it may still be at work
	none = jobs_of(run)
	run.db_set("modified", to_site(utc_now()) - timedelta(hours=1), update_modified=False)
	bulk_enrollment.resume_orphaned()
	frappe.db.commit()
	one = jobs_of(run)
	bulk_enrollment.run(run.name)

	assert (none, one) == (0, 1)
	assert (run.reload().status, run.enrolled) == ("Completed", 3)


def jobs_of(run) -> int:
	return sum(
		job.kwargs.get("kwargs", {}).get("name") == run.name for queue in get_queues() for job in queue.jobs
	)


@pytest.mark.parametrize(
	("status", "verb", "message"),
	[
		("Completed", desk.cancel_bulk_enrollment, "is Completed and can't be canceled"),
		("Failed", desk.cancel_bulk_enrollment, "is Failed and can't be canceled"),
		("Completed", desk.resume_bulk_enrollment, "is completed. Enroll again"),
	],
)
def test_run_is_cancelled_and_resumed_only_where_that_means_something(site, status, verb, message):
	run = make_run(factories.make_active_campaign(Clock(utc_now())))
	run.db_set("status", status, commit=True)

	with pytest.raises(frappe.ValidationError, match=message):
		verb(run.name)

	assert run.reload().status == status


def test_filters_that_make_no_sense_are_refused_with_the_remedy(site, clock):
	campaign = factories.make_campaign()

	with pytest.raises(frappe.ValidationError, match="Clear them and choose again"):
		frappe.get_doc(
			doctype="Drip Bulk Enrollment",
			campaign=campaign.name,
			recipient_type="Contact",
			recipient_filters="{oops",
		).insert()
