"""Known failures of other senders, each with a test that this app does not fail the same way."""

import random
import re
from pathlib import Path

import frappe
import pytest
from frappe.utils.background_jobs import get_redis_conn

from benchmarks import setup
from drip_campaigns.campaign import lifecycle, preview
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.stats.ledger import read_ledger
from tests import factories, verbs
from tests.factories import DOMAIN, step
from tests.processes import run_together

TESTS = Path(__file__).resolve().parent.parent
# What happened to somebody else, and what happens here: `test_of_each_story_is_there` looks each of them up.
STORIES = {
	"the checkpoint moved on when a batch was fetched, and after a restart half of the list was passed over": (
		"test_chaos.test_nothing_is_sent_twice_or_lost",
		"test_outcomes.test_run_that_is_killed_before_its_commit_leaves_everything_as_it_was",
	),
	"after a pause it began at the start: three copies for some, nothing for others": (
		"test_stories.test_ten_pauses_at_any_moment_cost_nobody_an_e_mail_and_double_none",
	),
	"called finished after a pause or a changed limit, with half of it unsent": (
		"test_stories.test_limit_changed_while_it_runs_finishes_nobody_who_still_waits",
		"test_retry.test_repair_reopens_what_is_called_completed_while_an_email_is_under_way",
	),
	"a restored server sent an old campaign again": (
		"test_holding.test_site_restored_elsewhere_holds_everything_until_somebody_confirms",
		"test_holding.test_database_older_than_what_was_sent_from_here_holds_everything",
	),
	"SMTP accepted it, the database rolled back, and it was sent again": (
		"test_delivery.test_only_the_email_of_the_moment_is_in_doubt_after_a_kill",
		"test_outcomes.test_worker_killed_right_after_the_server_accepted_sends_nothing_twice",
	),
	"one refused address made all others receive the mail for ever": (
		"test_stories.test_of_a_hundred_one_refused_one_put_off_and_one_broken_cost_only_themselves",
	),
	"the same mail every minute": (
		"test_timing.test_daily_job_and_dispatch_send_a_step_once_however_often_they_run",
	),
	"runs that overlapped sent twice": (
		"test_chaos.test_nothing_is_sent_twice_or_lost",
		"test_outcomes.test_many_processes_at_once_send_each_step_once",
	),
	"deleting one step sent the others again, or lost the next": (
		"test_stories.test_steps_deleted_moved_and_added_repeat_nothing_and_lose_nothing_wherever_somebody_stands",
	),
	"a weekday option made a ten-day series arrive within minutes": (
		"test_properties.test_distances_on_the_wall_are_kept_or_longer",
		"test_properties.test_every_send_lies_in_a_permitted_slot_and_not_before_its_time",
	),
	"hours off, doubled or missed when the clocks change": (
		"test_properties.test_no_step_is_lost",
		"test_timing.test_time_zone_of_a_user_decides_when_its_day_begins",
	),
	"what waited in the queue left after the unsubscribe": (
		"test_unsubscribing.test_what_is_queued_when_somebody_leaves_is_withdrawn",
	),
	"a missed day was a missed mail": ("test_timing.test_missed_days_are_caught_up_and_the_distances_kept",),
	"a zero was read as a limit of nothing": ("test_limits.test_zero_and_empty_mean_no_limit_and_one_means_one",),
	"one who left closed the campaign for all, and addresses were shown to others": (
		"test_stories.test_of_fifty_one_leaves_and_each_of_the_others_gets_a_mail_of_its_own",
	),
	"limits counted by each worker for itself": (
		"test_limits.test_600_an_hour_with_four_workers_is_never_exceeded_and_nearly_reached",
	),
	"what a server put off ate the budget of the day": (
		"test_stories.test_what_the_server_puts_off_a_hundred_times_leaves_the_limit_untouched",
	),
	"a copied mailing was sent at once, and a second test refused as a duplicate": (
		"test_rights.test_copy_of_an_active_campaign_is_a_draft_without_people",
		"test_stories.test_same_test_e_mail_can_be_sent_ten_times",
	),
	"two persons merged got two copies": (
		"test_meanwhile.test_two_merged_into_one_get_each_step_once",
		"test_meanwhile.test_merged_into_one_who_has_left_the_campaign_gets_nothing_more",
	),
	"a mail with somebody else's name": ("test_stories.test_mails_made_side_by_side_hold_no_name_of_another",),
	"figures that did not add up": ("test_retry.test_every_due_step_stands_in_the_ledger_once",),
	"Frappe's own queue sent again what had been accepted, and tried refused addresses for ever": (
		"test_outcomes.test_our_e_mail_is_frappes_to_send_once_its_time_has_passed",
		"test_delivery.test_frappe_that_puts_back_what_stays_sending_does_not_send_it_again",
	),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_of_each_story_is_there(story):
	for name in STORIES[story]:
		module, _, function = name.partition(".")
		sources = [path.read_text() for path in TESTS.rglob(f"{module}.py")]
		assert any(f"\ndef {function}(" in source for source in sources), name


def counted(smtp) -> dict[tuple[str, str], int]:
	"""Return how often the server got each subject for each recipient."""
	seen: dict[tuple[str, str], int] = {}
	for message in smtp.messages:
		key = (message.recipient, message.message["Subject"])
		seen[key] = seen.get(key, 0) + 1
	return seen


def test_ten_pauses_at_any_moment_cost_nobody_an_e_mail_and_double_none(site, smtp, clock):
	dice = random.Random(3)
	campaign = factories.make_active_campaign(clock, *(step(day) for day in range(4)))
	people = [factories.make_contact() for _ in range(8)]
	enrollments = [factories.enroll(campaign, contact, clock) for contact in people]

	for _turn in range(10):
		for act in (lifecycle.pause, lifecycle.activate):
			clock.advance(hours=dice.randint(1, 20))
			dispatch_due.dispatch(clock.now, enqueue_delivery=False)
			act(campaign.reload(), clock.now)
			frappe.db.commit()
			if dice.random() < 0.5:
				delivery.deliver(clock)
	for _day in range(6):
		clock.advance(days=1)
		factories.run(clock)

	assert counted(smtp) == {(person.email_id, f"Day {day}"): 1 for person in people for day in range(4)}
	assert {row.reload().status for row in enrollments} == {"Completed"}


def set_limit(per_hour: int) -> None:
	"""Allow a number of emails per hour."""
	settings = frappe.get_doc("Drip Settings")
	settings.set("limits", [{"scope": "Site", "per_hour": per_hour}])
	settings.save()
	frappe.db.commit()


@pytest.fixture
def nothing_counted(site) -> None:
	"""Forget what other tests have sent within the hour."""
	redis = get_redis_conn()
	for key in redis.scan_iter(f"drip_campaigns:{frappe.conf.db_name}:limit:*"):
		redis.delete(key)


def test_limit_changed_while_it_runs_finishes_nobody_who_still_waits(site, nothing_counted, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0))
	people = [factories.make_contact() for _ in range(12)]
	for contact in people:
		factories.enroll(campaign, contact, clock)
	set_limit(60)
	seen = []

	for per_hour in (60, 12, 120, 60, 0, 0):
		set_limit(per_hour)
		factories.run(clock)
		completed = factories.count("Drip Enrollment", status="Completed")
		seen.append(completed == len(smtp.messages))
		clock.advance(minutes=5)

	assert all(seen)
	assert counted(smtp) == {(person.email_id, "Day 0"): 1 for person in people}
	assert read_ledger(campaign.name)["sent"] == 12


def test_of_a_hundred_one_refused_one_put_off_and_one_broken_cost_only_themselves(site, smtp, clock):
	text = "<p>{{ 100 // (recipient.first_name | length - 6) }}</p>"
	campaign = factories.make_active_campaign(clock, step(0, message=text))
	people = setup.make_people(97)
	refused, put_off = factories.make_contact("Refused"), factories.make_contact("Put off")
	broken = factories.make_contact("Broken")  # six messages: a division by zero
	smtp.answer(refused.email_id, "554 5.6.0 no")
	smtp.answer(put_off.email_id, "450 4.2.1 later")
	setup.enroll_all(campaign.name, [refused.name, *people, put_off.name, broken.name], clock.now)

	for _ in range(3):
		factories.run(clock)

	assert counted(smtp) == {(setup.address(name), "Day 0"): 1 for name in people}
	ledger = {"due": 99, "sent": 97, "skipped": 0, "failed": 1, "waiting": 1, "in_doubt": 0}
	assert read_ledger(campaign.name) == ledger
	error = frappe.db.get_value("Drip Enrollment", {"recipient": broken.name}, "last_error")
	assert "ZeroDivisionError" in error


def test_steps_deleted_moved_and_added_repeat_nothing_and_lose_nothing_wherever_somebody_stands(
	site, smtp, clock
):
	campaign = factories.make_active_campaign(clock, *(step(day, subject=f"S{day}") for day in (0, 2, 4, 6)))
	people = []
	for _position in range(
		4
	):  # the first to be enrolled has had all but the last, the last one only the first
		people.append(factories.make_contact())
		factories.enroll(campaign, people[-1], clock)
		for _ in range(2):
			factories.run(clock)
			clock.advance(days=1)

	campaign.reload()
	first, second, third, fourth = campaign.steps
	campaign.set("steps", [first, fourth, third])  # S2 is deleted, S6 stands before S4 in the table
	campaign.append("steps", step(5, subject="New"))
	campaign.save()
	for _ in range(10):
		factories.run(clock)
		clock.advance(days=1)

	assert set(counted(smtp).values()) == {1}
	received = [[message.message["Subject"] for message in smtp.to(person.email_id)] for person in people]
	assert received == [
		["S0", "S2", "S4", "S6"],
		["S0", "S2", "S4", "New", "S6"],
		["S0", "S2", "S4", "New", "S6"],
		["S0", "S4", "New", "S6"],
	]
	assert second.name not in [row.name for row in campaign.reload().steps]


def test_of_fifty_one_leaves_and_each_of_the_others_gets_a_mail_of_its_own(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), step(1))
	names = setup.make_people(50)
	addresses = [setup.address(name) for name in names]
	setup.enroll_all(campaign.name, names, clock.now)
	factories.run(clock)

	left = frappe.db.get_value("Drip Enrollment", {"email_address": addresses[7]})
	verbs.unsubscribe(frappe.get_doc("Drip Enrollment", left), clock.now)
	frappe.db.commit()
	clock.advance(days=1)
	factories.run(clock)

	second = [message for message in smtp.messages if message.message["Subject"] == "Day 1"]
	assert sorted(message.recipient for message in second) == sorted({*addresses} - {addresses[7]})
	for message in smtp.messages:
		others = {*addresses} - {message.recipient}
		assert not [address for address in others if address.encode() in message.raw]


def test_what_the_server_puts_off_a_hundred_times_leaves_the_limit_untouched(
	site, nothing_counted, smtp, clock
):
	campaign = factories.make_active_campaign(clock, step(0))
	put_off, fine = factories.make_contact("Put off"), factories.make_contact("Fine")
	smtp.answer(put_off.email_id, "450 4.2.1 later")
	set_limit(12)
	factories.enroll(campaign, put_off, clock)
	for _ in range(100):
		factories.run(clock)
		clock.advance(minutes=15)

	factories.enroll(campaign, fine, clock)
	factories.run(clock)
	smtp.answer(put_off.email_id, "250 OK")
	clock.advance(minutes=15)
	factories.run(clock)

	assert [message.recipient for message in smtp.messages] == [fine.email_id, put_off.email_id]


def test_same_test_e_mail_can_be_sent_ten_times(site, smtp, clock):
	campaign = factories.make_campaign(step(0))

	for _ in range(10):
		preview.send_test(campaign, campaign.steps[0].name, f"me@{DOMAIN}", None, None, clock.now)

	assert factories.count("Email Queue", sender=["like", f"%{DOMAIN}%"]) == 10
	assert factories.count("Drip Email") == 0


def test_mails_made_side_by_side_hold_no_name_of_another(site, smtp, clock):
	text = "<p>{% for message in doc.full_name %}{{ message }}{% endfor %} of {{ recipient.first_name }}</p>"
	campaign = factories.make_active_campaign(clock, step(0, subject="{{ doc.full_name }}", message=text))
	people = setup.make_people(1000)
	first_names = {setup.address(name): f"First{name[-7:]}" for name in people}
	setup.enroll_all(campaign.name, people, clock.now)
	setup.set_options(batch_size=40)

	run_together(dispatch_due.dispatch, [(clock.now,)] * 4)
	delivery.deliver(clock)

	assert len(smtp.messages) == 1000
	for message in smtp.messages:
		found = set(re.findall(r"First\d{7}", message.raw.decode() + message.part("html")))
		assert found == {first_names[message.recipient]}
