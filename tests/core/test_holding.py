"""Paused and resumed, taken off and put back: what was left of the delay is still left."""

from dataclasses import replace
from datetime import timedelta

import pytest

from drip_campaigns.core.model import IfLate, ReEnrollment, Refuse, Restart, Resume, Status
from drip_campaigns.core.schedule.due_steps import begin, next_send_at, planned_schedule, shift, shift_late
from drip_campaigns.core.schedule.reenrollment import re_enroll
from tests.core.builders import WORKDAYS, after, at, make_plan, on_days, send_due, started

BOTH_MODES = pytest.mark.parametrize("if_late", list(IfLate))


@BOTH_MODES
def test_the_rest_of_the_running_delay_remains_after_a_pause(if_late):
	plan = make_plan(*on_days(a=0, b=3, c=5), if_late=if_late)
	position, _ = send_due(plan, started("2026-05-01 10:00"), at("2026-05-01 10:00"))

	position = shift(plan, position, at("2026-05-02 10:00"), at("2026-05-20 14:00"))

	assert planned_schedule(plan, position) == [("b", at("2026-05-22 14:00")), ("c", at("2026-05-24 14:00"))]


@BOTH_MODES
def test_a_step_that_was_due_when_the_pause_began_is_due_when_it_ends(if_late):
	plan = make_plan(*on_days(a=0, b=1), if_late=if_late)
	position = started("2026-05-01 10:00")
	resumed = at("2026-07-20 14:00")

	position = shift(plan, position, at("2026-05-01 11:00"), resumed)
	_, done = send_due(plan, position, resumed)

	assert done == ["a"]


def test_a_step_that_only_waited_for_its_day_is_due_when_the_pause_ends():
	plan = make_plan(*on_days(a=1), weekdays=WORKDAYS)
	position = started("2026-05-01 10:00")  # a Friday
	resumed = at("2026-05-06 12:00")

	position = shift(plan, position, at("2026-05-03 10:00"), resumed)
	_, done = send_due(plan, position, resumed)

	assert done == ["a"]


def test_a_pause_of_no_length_changes_nothing():
	plan = make_plan(*on_days(a=0, b=3))
	position, _ = send_due(plan, started("2026-05-01 10:00"), at("2026-05-01 10:00"))
	moment = at("2026-05-02 10:00")

	held = shift(plan, position, moment, moment)

	assert held == position


def test_a_pause_before_the_start_does_not_move_it():
	plan = make_plan(*on_days(a=0))
	position = started("2026-05-10 10:00")

	position = shift(plan, position, at("2026-05-01 10:00"), at("2026-05-09 10:00"))

	assert next_send_at(plan, position) == ("a", at("2026-05-10 10:00"))


def test_a_pause_over_the_start_counts_from_the_start():
	plan = make_plan(*on_days(a=0, b=2))
	position = started("2026-05-10 10:00")

	position = shift(plan, position, at("2026-05-01 10:00"), at("2026-05-12 09:00"))

	assert planned_schedule(plan, position) == [("a", at("2026-05-12 09:00")), ("b", at("2026-05-14 09:00"))]


@pytest.mark.parametrize(
	("held_from", "held_until", "planned"),
	[
		("2026-03-27 09:00", "2026-03-30 09:00", "2026-03-31 10:00"),  # a clock change within the pause
		("2026-03-27 09:00", "2026-03-28 09:00", "2026-03-29 10:00"),  # and one within what is left
	],
)
def test_a_pause_is_measured_on_the_clock_on_the_wall(held_from, held_until, planned):
	plan = make_plan(*on_days(a=2))
	position = started("2026-03-26 10:00")

	position = shift(plan, position, at(held_from), at(held_until))

	assert next_send_at(plan, position) == ("a", at(planned))


def test_a_step_that_was_due_is_due_at_once_even_if_its_time_of_day_is_left_out():
	plan = make_plan(*on_days(a=1))
	position = started("2026-03-27 02:30")
	resumed = at("2026-03-29 03:10")  # 02:40 does not exist on this day and would mean 03:40

	position = shift(plan, position, at("2026-03-28 03:00"), resumed)

	assert next_send_at(plan, position) == ("a", resumed)


def test_a_pause_within_the_repeated_hour_brings_nothing_forward():
	plan = make_plan(*on_days(a=1))
	position = started("2026-10-24 04:00")
	first_pass, second_pass = at("2026-10-25 02:50"), at("2026-10-25 02:10") + timedelta(hours=1)

	position = shift(plan, position, first_pass, second_pass)

	assert next_send_at(plan, position)[1] >= at("2026-10-25 04:00")


def test_a_pause_that_moves_the_anchor_off_the_clock_keeps_the_delay():
	plan = make_plan(*on_days(a=3))
	position = started("2026-03-26 02:30")

	position = shift(plan, position, at("2026-03-27 02:30"), at("2026-03-30 02:30"))

	assert next_send_at(plan, position) == ("a", at("2026-04-01 02:30"))


def test_a_step_counted_from_a_moved_one_keeps_its_distance_after_such_a_pause():
	plan = make_plan(*on_days(a=0), after("b", 2))
	position, _ = send_due(plan, started("2026-03-28 02:30"), at("2026-03-28 02:30"))
	position = shift(plan, position, at("2026-03-28 10:00"), at("2026-03-29 10:00"))
	plan = replace(plan, steps=(*on_days(a=7), after("b", 2)))

	following = next_send_at(plan, position)

	assert following == ("b", at("2026-03-31 02:30"))


@pytest.mark.parametrize("status", [Status.EXITED, Status.FAILED])
def test_one_who_is_put_back_goes_on_with_the_rest_of_the_delay(status):
	plan = make_plan(*on_days(a=0, b=3))
	position, _ = send_due(plan, started("2026-05-01 10:00"), at("2026-05-01 10:00"))

	answer = re_enroll(plan, position, status, at("2026-05-02 10:00"), at("2026-06-02 10:00"))

	assert isinstance(answer, Resume)
	assert next_send_at(plan, answer.position) == ("b", at("2026-06-04 10:00"))


def test_one_who_completed_stays_so_unless_a_step_was_added():
	plan = make_plan(*on_days(a=0))
	now = at("2026-06-01 10:00")
	position, _ = send_due(plan, started("2026-05-01 10:00"), at("2026-05-01 10:00"))
	longer = replace(plan, steps=on_days(a=0, b=3))

	same = re_enroll(plan, position, Status.COMPLETED, at("2026-05-01 10:00"), now)
	grown = re_enroll(longer, position, Status.COMPLETED, at("2026-05-01 10:00"), now)

	assert same == Refuse("The recipient completed this campaign, and no step was added since then.")
	assert next_send_at(longer, grown.position) == ("b", at("2026-06-04 10:00"))


def test_starting_over_is_possible_after_so_many_days():
	plan = make_plan(*on_days(a=0), re_enrollment=ReEnrollment.RESTART, restart_after_days=30)
	position, _ = send_due(plan, started("2026-05-01 10:00", timezone="Asia/Kolkata"), at("2026-05-01 10:00"))
	left, now = at("2026-05-01 10:00"), at("2026-05-31 10:00")

	too_early = re_enroll(plan, position, Status.COMPLETED, left, now - timedelta(seconds=1))
	answer = re_enroll(plan, position, Status.COMPLETED, left, now)

	assert too_early == Refuse("This campaign can restart on 2026-05-31 at 13:30.")
	assert answer == Restart(begin(now, "Asia/Kolkata"))


@pytest.mark.parametrize("rule", list(ReEnrollment))
@pytest.mark.parametrize("status", [Status.UNSUBSCRIBED, Status.SCHEDULED, Status.IN_PROGRESS, Status.PAUSED])
def test_one_who_unsubscribed_or_is_on_the_campaign_is_never_enrolled_again(rule, status):
	plan = make_plan(*on_days(a=0), re_enrollment=rule)

	answer = re_enroll(
		plan, started("2026-05-01 10:00"), status, at("2026-05-01 10:00"), at("2027-05-01 10:00")
	)

	assert isinstance(answer, Refuse)


def test_a_campaign_may_take_nobody_twice():
	plan = make_plan(*on_days(a=0), re_enrollment=ReEnrollment.NEVER)

	answer = re_enroll(
		plan, started("2026-05-01 10:00"), Status.EXITED, at("2026-05-01 10:00"), at("2027-05-01 10:00")
	)

	assert answer == Refuse("This campaign enrolls each recipient once.")


def test_steps_after_an_e_mail_that_left_late_are_counted_from_when_it_left():
	plan = make_plan(*on_days(a=0, b=3, c=5))
	position, _ = send_due(plan, started("2026-05-01 10:00"), at("2026-05-01 10:00"))

	position = shift_late(plan, position, "a", at("2026-05-03 16:00"))

	assert planned_schedule(plan, position) == [("b", at("2026-05-06 16:00")), ("c", at("2026-05-08 16:00"))]


def test_with_keep_dates_an_e_mail_that_left_late_moves_nothing():
	plan = make_plan(*on_days(a=0, b=3), if_late=IfLate.KEEP_DATES)
	position, _ = send_due(plan, started("2026-05-01 10:00"), at("2026-05-01 10:00"))

	assert shift_late(plan, position, "a", at("2026-05-03 16:00")) == position


def test_an_earlier_e_mail_that_left_late_does_not_move_what_is_counted_from_a_later_one():
	plan = make_plan(*on_days(a=0, b=0, c=1))
	position, done = send_due(plan, started("2026-05-01 10:00"), at("2026-05-01 10:00"))

	assert done == ["a", "b"]
	assert shift_late(plan, position, "a", at("2026-05-03 16:00")) == position


def test_leaving_late_after_a_pause_does_not_count_the_pause_twice():
	plan = make_plan(*on_days(a=0, b=1))
	position, _ = send_due(plan, started("2026-05-01 10:00"), at("2026-05-01 10:00"))
	position = shift(plan, position, at("2026-05-01 11:00"), at("2026-05-08 11:00"))

	position = shift_late(plan, position, "a", at("2026-05-08 11:05"))

	assert planned_schedule(plan, position) == [("b", at("2026-05-09 11:05"))]
