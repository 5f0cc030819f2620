"""A campaign edited while people are on it: nobody gets a step twice, out of turn, or loses one that was to come."""

from dataclasses import replace
from datetime import timedelta

import pytest

from drip_campaigns.core.flow.step_flow import Flow
from drip_campaigns.core.flow.wait_kinds.date_field import DateWait
from drip_campaigns.core.model import Finish, IfLate, Status, Step, StepType
from drip_campaigns.core.schedule.due_steps import decide, go_on, next_send_at, planned_schedule
from drip_campaigns.core.schedule.edit_impact import Group, measure_impact
from tests.core.builders import after, at, make_plan, on_days, send_due, started

BOTH_MODES = pytest.mark.parametrize("if_late", list(IfLate))


def sent_until(plan, last_day):
	"""Return the position of somebody who started on 1 May at 10:00 and was sent everything on time."""
	position = started("2026-05-01 10:00")
	for number in range(1, last_day + 1):
		position, _ = send_due(plan, position, at(f"2026-05-{number:02} 10:00"))
	return position


def edit(plan, *steps):
	return replace(plan, steps=steps)


def days_to_come(plan, position):
	return [
		(step, (moment - at("2026-05-01 10:00")).days) for step, moment in planned_schedule(plan, position)
	]


@BOTH_MODES
def test_a_step_added_in_the_middle_goes_to_those_who_have_not_been_sent_a_later_one(if_late):
	plan = make_plan(*on_days(a=0, b=5), if_late=if_late)
	position = sent_until(plan, 2)

	plan = edit(plan, *on_days(a=0, new=3, b=5))

	assert days_to_come(plan, position) == [("new", 3), ("b", 5)]


@BOTH_MODES
def test_a_step_added_in_the_middle_never_reaches_those_who_have_been_sent_a_later_one(if_late):
	plan = make_plan(*on_days(a=0, b=5, c=9), if_late=if_late)
	position = sent_until(plan, 6)

	plan = edit(plan, *on_days(a=0, new=3, b=5, c=9))

	assert days_to_come(plan, position) == [("c", 9)]


def test_the_distance_from_an_added_step_to_the_next_is_preserved():
	plan = make_plan(*on_days(a=0, b=5))
	position = sent_until(plan, 5)
	plan = edit(plan, *on_days(a=0, new=2, b=5))

	position, done = send_due(plan, position, at("2026-05-05 12:00"))

	assert done == ["new"]
	assert next_send_at(plan, position) == ("b", at("2026-05-08 12:00"))


def test_a_step_added_at_the_end_long_after_is_due_at_once():
	plan = make_plan(*on_days(a=0))
	position = sent_until(plan, 1)
	plan = edit(plan, *on_days(a=0, b=2))

	_, done = send_due(plan, position, at("2026-09-01 12:00"))

	assert done == ["b"]


@BOTH_MODES
def test_a_changed_day_keeps_it_the_same_step(if_late):
	plan = make_plan(*on_days(a=0, b=3), if_late=if_late)
	position = sent_until(plan, 4)

	plan = edit(plan, *on_days(a=0, b=8))

	assert decide(plan, position, at("2026-06-01 10:00")) == Finish()


@BOTH_MODES
def test_a_step_deleted_and_added_again_is_a_new_one(if_late):
	plan = make_plan(*on_days(a=0, b=3), if_late=if_late)
	position = sent_until(plan, 4)

	plan = edit(plan, *on_days(a=0, b_again=3))

	assert days_to_come(plan, position) == [("b_again", 3)]


@BOTH_MODES
def test_deleting_the_step_last_sent_does_not_bring_back_those_before_it(if_late):
	plan = make_plan(*on_days(a=0, b=3, c=5), if_late=if_late)
	position = sent_until(plan, 4)
	plan = edit(plan, *on_days(a=0, new=2, b=3, c=5))

	plan = edit(plan, *on_days(a=0, new=2, c=5))

	assert days_to_come(plan, position) == [("c", 5)]


@BOTH_MODES
def test_moving_a_sent_step_behind_those_to_come_loses_none_of_them(if_late):
	plan = make_plan(*on_days(a=0, b=3, c=5, d=7), if_late=if_late)
	position = sent_until(plan, 4)

	plan = edit(plan, *on_days(a=0, b=30, c=5, d=7))

	assert days_to_come(plan, position) == [("c", 5), ("d", 7)]


def test_moving_sent_and_coming_steps_forward_together_keeps_their_distance():
	plan = make_plan(*on_days(a=0, b=6, c=9))
	position = sent_until(plan, 7)

	plan = edit(plan, *on_days(a=0, b=1, c=4))

	assert days_to_come(plan, position) == [("c", 9)]


@pytest.mark.parametrize("days", [1, 3, 9])
def test_a_step_counted_from_a_sent_one_keeps_its_distance_when_that_one_is_moved(days):
	plan = make_plan(Step("a"), after("b", 3), after("c", 2), after("d", 1))
	position = sent_until(plan, 4)

	plan = edit(plan, Step("a"), after("b", days), after("c", 2), after("d", 1))

	assert days_to_come(plan, position) == [("c", 5), ("d", 6)]


def test_a_step_moved_to_before_today_is_due_at_once_with_kept_intervals():
	plan = make_plan(*on_days(a=0, b=9))
	position = sent_until(plan, 6)
	plan = edit(plan, *on_days(a=0, b=2))

	_, done = send_due(plan, position, at("2026-05-06 12:00"))

	assert done == ["b"]


def test_a_step_moved_to_before_today_is_skipped_with_kept_dates():
	plan = make_plan(*on_days(a=0, b=9), if_late=IfLate.KEEP_DATES, grace=timedelta(hours=24))
	position = sent_until(plan, 6)
	plan = edit(plan, *on_days(a=0, b=2))

	_, done = send_due(plan, position, at("2026-05-06 12:00"))

	assert done == ["-b"]


@BOTH_MODES
def test_a_step_moved_before_the_one_last_sent_counts_as_passed(if_late):
	plan = make_plan(*on_days(a=0, b=3, c=5), if_late=if_late)
	position = sent_until(plan, 4)

	plan = edit(plan, *on_days(a=0, b=3, c=2))

	assert decide(plan, position, at("2026-06-01 10:00")) == Finish()


@BOTH_MODES
def test_a_step_enabled_again_reaches_only_those_who_have_not_passed_it(if_late):
	disabled = (Step("a"), Step("b", 3, enabled=False), Step("c", 5))
	plan = make_plan(*disabled, if_late=if_late)
	early, late = sent_until(plan, 2), sent_until(plan, 6)

	plan = edit(plan, *on_days(a=0, b=3, c=5))

	assert days_to_come(plan, early) == [("b", 3), ("c", 5)]
	assert days_to_come(plan, late) == []


@BOTH_MODES
def test_deleting_all_steps_finishes(if_late):
	plan = make_plan(*on_days(a=0, b=3), if_late=if_late)
	position = sent_until(plan, 1)

	plan = edit(plan)

	assert decide(plan, position, at("2026-05-02 10:00")) == Finish()


def test_intervals_take_over_from_dates_in_mid_campaign_without_a_step_too_early():
	plan = make_plan(*on_days(a=0, b=3, c=5), if_late=IfLate.KEEP_DATES)
	position = sent_until(plan, 4)

	plan = replace(plan, if_late=IfLate.KEEP_INTERVALS)

	assert days_to_come(plan, position) == [("c", 5)]


def test_dates_take_over_from_intervals_in_mid_campaign_as_they_stand():
	plan = make_plan(*on_days(a=0, b=3, c=5))
	position, _ = send_due(plan, started("2026-05-01 10:00"), at("2026-05-03 10:00"))

	plan = replace(plan, if_late=IfLate.KEEP_DATES)

	assert days_to_come(plan, position) == [("b", 5), ("c", 7)]


def test_new_step_on_one_of_two_ways_is_counted_for_those_who_go_there_and_for_no_other():
	wait = Step("wait", flow=Flow(awaited=DateWait("renewal", limit_hours=24)), type=StepType.WAIT)
	good = replace(after("good", 2), flow=Flow(next_step="Last"))
	bad, last = replace(after("bad", 2), label="Bad"), replace(after("last", 2), label="Last")
	before = make_plan(wait, good, bad, last)
	edited = make_plan(wait, good, bad, after("new", 1), last)
	here = at("2026-05-01 10:00")
	ways = {
		target: go_on(before, started("2026-05-01 10:00"), "wait", here, target) for target in ("good", "bad")
	}
	groups = [
		Group(count, Status.IN_PROGRESS, ways[target], here + timedelta(days=2))
		for target, count in (("good", 5), ("bad", 3))
	]

	for order in (groups, groups[::-1]):
		impact = measure_impact(before, edited, order, lambda moment: moment)
		assert (impact.gets, impact.past) == ({"new": 3}, {"new": 5})
