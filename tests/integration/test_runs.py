"""What changes between two batches of one dispatch counts from the next batch on, though what they share is made once."""

from datetime import timedelta

import frappe
import pytest

from drip_campaigns.campaign import lifecycle, step_pauses
from drip_campaigns.dispatch import run_cache
from drip_campaigns.enrollment import pause
from drip_campaigns.jobs import daily
from drip_campaigns.jobs import dispatch_due as runner
from tests import factories


@pytest.fixture
def campaign(site, smtp, clock, monkeypatch):
	"""An active campaign with three people due, in batches of one."""
	monkeypatch.setattr(runner, "batch_size", lambda: 1)
	campaign = factories.make_active_campaign(clock, factories.step(0, "Before"))
	for _ in range(3):
		factories.enroll(campaign, factories.make_contact(), clock)
	return campaign


def _after_first_batch(monkeypatch, act) -> None:
	record, calls = runner.record_events, []

	def recorded(*args):
		record(*args)
		calls.append(1)
		if len(calls) == 1:
			act()

	monkeypatch.setattr(runner, "record_events", recorded)


def _queued_subjects() -> list[str]:
	return sorted(frappe.get_all("Drip Email", pluck="subject"))


def test_batches_of_a_dispatch_share_what_is_made_once(campaign, clock, monkeypatch):
	made, make = [], run_cache._make_run
	monkeypatch.setattr(run_cache, "_make_run", lambda name: made.append(name) or make(name))

	assert runner.dispatch(clock.now, enqueue_delivery=False) == 3

	assert made == [campaign.name]


def test_campaign_that_is_paused_between_two_batches_queues_nothing_more(campaign, clock, monkeypatch):
	_after_first_batch(
		monkeypatch, lambda: frappe.db.set_value("Drip Campaign", campaign.name, "status", "Paused")
	)

	assert runner.dispatch(clock.now, enqueue_delivery=False) == 1

	assert _queued_subjects() == ["Before"]


def test_hold_all_sending_between_two_batches_keeps_back_the_one_that_was_under_way(
	campaign, clock, smtp, monkeypatch
):
	_after_first_batch(monkeypatch, lambda: frappe.db.set_single_value("Drip Settings", "pause_sending", 1))

	assert runner.dispatch(clock.now, enqueue_delivery=False) == 1
	assert runner.dispatch(clock.now, enqueue_delivery=False) == 0
	factories.flush_email_queue()

	assert factories.count("Drip Email", status="Queued") == 1
	assert smtp.messages == []


def test_part_of_a_run_that_fails_is_logged_and_stops_no_e_mail(campaign, clock, monkeypatch):
	def fail(*_args) -> None:
		raise RuntimeError("One bad row")

	for module, name in ((runner, "count_visits"), (runner, "_end_pauses"), (daily, "start_scheduled")):
		monkeypatch.setattr(module, name, fail)

	runner.dispatch_due()
	dispatched = factories.count("Drip Email", status="Queued")
	factories.enroll(campaign, factories.make_contact(), clock)
	daily.run(clock.now, enqueue_delivery=False)

	assert (dispatched, factories.count("Drip Email", status="Queued")) == (3, 4)
	errors = frappe.get_all("Error Log", filters={"method": ["like", "Drip Campaigns%"]}, pluck="error")
	assert len(errors) == 4
	assert all("One bad row" in error for error in errors)


def test_campaign_that_cannot_be_read_stops_no_other(campaign, clock):
	other = factories.make_active_campaign(clock, factories.step(0, "Other"))
	factories.enroll(other, factories.make_contact(), clock)
	frappe.db.set_value("Drip Campaign", campaign.name, "if_late", "Sometimes")
	frappe.clear_document_cache("Drip Campaign", campaign.name)

	runner.dispatch(clock.now, enqueue_delivery=False)

	assert _queued_subjects() == ["Other"]
	filters = {"method": ["like", "Drip Campaigns%"]}
	[log] = frappe.get_all("Error Log", filters=filters, fields=["method", "error"])
	assert campaign.name in log.method and "Sometimes" in log.error


def test_campaign_that_cannot_go_on_after_a_pause_keeps_no_other_from_it(site, smtp, clock):
	until = clock.now + timedelta(hours=1)
	broken, paused, rested = (factories.make_active_campaign(clock, factories.step(0)) for _ in range(3))
	for campaign in (broken, paused, rested):
		factories.enroll(campaign, factories.make_contact(campaign.name.split()[-1]), clock)
	step_pauses.pause_step(broken, broken.steps[0].name, clock.now, until)
	lifecycle.pause(paused, clock.now, until)
	[resting] = frappe.get_all("Drip Enrollment", filters={"campaign": rested.name}, pluck="email_address")
	pause.pause_address(resting, until, clock.now)
	frappe.db.set_value("Drip Campaign", broken.name, "time_zone", "Atlantis/Capital")
	frappe.clear_document_cache("Drip Campaign", broken.name)
	frappe.db.commit()

	clock.advance(hours=2)
	factories.run(clock)

	assert len(smtp.messages) == 2
	assert (paused.reload().status, broken.reload().status) == ("Active", "Active")


def test_text_that_is_changed_between_two_batches_counts_from_the_next(campaign, clock, monkeypatch):
	def edit() -> None:
		document = frappe.get_doc("Drip Campaign", campaign.name)
		document.steps[0].subject = "After"
		document.save()

	_after_first_batch(monkeypatch, edit)

	assert runner.dispatch(clock.now, enqueue_delivery=False) == 3

	assert _queued_subjects() == ["After", "After", "Before"]


def test_batch_that_was_rolled_back_begins_with_everything_anew(campaign, clock, monkeypatch):
	made, make = [], run_cache._make_run
	monkeypatch.setattr(run_cache, "_make_run", lambda name: made.append(name) or make(name))

	def lose() -> None:
		raise frappe.QueryDeadlockError("1213 Deadlock found when trying to get lock")

	_after_first_batch(monkeypatch, lose)

	assert runner.dispatch(clock.now, enqueue_delivery=False) == 3

	assert len(made) == 2
	assert frappe.db.count("Drip Step Version") == 1
	assert factories.count("Drip Email", status="Queued") == 3
