"""When each step is due, and what lateness does: the rules of docs/guide/schedule.md, one by one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from drip_campaigns.core.errors import NaiveMomentError
from drip_campaigns.core.model import Finish, IfLate, Send, Skip, SkipReason, Status, Step, Wait
from drip_campaigns.core.schedule.due_steps import (
	advance,
	begin,
	decide,
	end_date,
	next_send_at,
	planned_schedule,
	reopens,
)
from tests.core.builders import after, at, day, make_plan, on_days, send_due, started


def test_steps_count_from_the_start_or_from_the_previous_row():
	plan = make_plan(Step("a"), Step("b", 2), after("c", 1, 6), after("d", 0, 18))

	schedule = planned_schedule(plan, started("2026-05-04 10:00"))

	assert schedule == [
		("a", at("2026-05-04 10:00")),
		("b", at("2026-05-06 10:00")),
		("c", at("2026-05-07 16:00")),
		("d", at("2026-05-08 10:00")),
	]


def test_the_previous_of_the_first_row_is_the_start():
	plan = make_plan(after("a", 3))

	schedule = planned_schedule(plan, started("2026-05-04 10:00"))

	assert schedule == [("a", at("2026-05-07 10:00"))]


def test_steps_run_by_offset_and_then_by_row():
	plan = make_plan(*on_days(late=5, first=1, second=1, early=0))

	schedule = planned_schedule(plan, started("2026-05-04 10:00"))

	assert [step for step, _ in schedule] == ["early", "first", "second", "late"]


def test_a_step_is_sent_when_its_moment_has_come_and_not_before():
	plan = make_plan(*on_days(a=1))
	position = started("2026-05-04 10:00")
	planned = at("2026-05-05 10:00")

	before = decide(plan, position, planned - timedelta(microseconds=1))
	then = decide(plan, position, planned)

	assert before == Wait("a", planned)
	assert then == Send("a", planned)


def test_deciding_twice_gives_the_same_answer():
	plan = make_plan(*on_days(a=0, b=2))
	position, _ = send_due(plan, started("2026-05-04 10:00"), at("2026-05-04 10:00"))
	now = at("2026-05-06 10:00")

	decisions = {decide(plan, position, now) for _ in range(1000)}

	assert decisions == {Send("b", now)}


def test_advancing_twice_changes_nothing_more():
	plan = make_plan(*on_days(a=0, b=2))
	once = advance(plan, started("2026-05-04 10:00"), "a", at("2026-05-04 10:00"))

	twice = advance(plan, once, "a", at("2026-05-05 10:00"))

	assert twice == once


def test_a_step_that_comes_after_its_turn_is_only_noted():
	plan = make_plan(*on_days(a=0, b=2, c=4))
	position = advance(plan, started("2026-05-04 10:00"), "b", at("2026-05-06 10:00"))

	noted = advance(plan, position, "a", at("2026-05-07 10:00"))

	assert noted == replace(position, done=frozenset({"a", "b"}))
	assert next_send_at(plan, noted) == ("c", at("2026-05-08 10:00"))


def test_a_step_that_has_left_the_plan_is_only_noted():
	plan = make_plan(*on_days(a=0, b=2))
	position = started("2026-05-04 10:00")

	noted = advance(plan, position, "deleted", at("2026-05-04 10:00"))

	assert noted == replace(position, done=frozenset({"deleted"}))


def test_no_step_falls_before_the_one_it_follows_when_two_hours_are_repeated():
	plan = make_plan(Step("a"), after("b", hours=1), timezone="Antarctica/Troll")
	second_pass = at("2026-10-25 01:30", "Antarctica/Troll") + timedelta(hours=2)

	position = advance(plan, begin(second_pass, None), "a", second_pass)

	assert next_send_at(plan, position) == ("b", second_pass)


def test_an_enrollment_is_finished_after_its_last_step():
	plan = make_plan(*on_days(a=0))

	position, done = send_due(plan, started("2026-05-04 10:00"), at("2026-05-04 10:00"))

	assert done == ["a"]
	assert decide(plan, position, at("2026-05-04 10:00")) == Finish()
	assert next_send_at(plan, position) is None


def test_two_steps_at_one_moment_leave_in_one_run_in_row_order():
	plan = make_plan(*on_days(a=1, b=1, c=2))

	position, done = send_due(plan, started("2026-05-04 10:00"), at("2026-05-05 12:00"))

	assert done == ["a", "b"]
	assert next_send_at(plan, position) == ("c", at("2026-05-06 12:00"))


def test_late_is_kept_late():
	plan = make_plan(*on_days(a=0, b=2, c=3))
	position, _ = send_due(plan, started("2026-05-04 10:00"), at("2026-05-04 10:00"))

	position, done = send_due(plan, position, at("2026-05-09 08:00"))

	assert done == ["b"]
	assert next_send_at(plan, position) == ("c", at("2026-05-10 08:00"))


def test_kept_dates_catch_up_within_the_grace():
	plan = make_plan(*on_days(a=0, b=1, c=3), if_late=IfLate.KEEP_DATES, grace=timedelta(hours=24))

	position, done = send_due(plan, started("2026-05-04 10:00"), at("2026-05-05 10:00"))

	assert done == ["a", "b"]
	assert next_send_at(plan, position) == ("c", at("2026-05-07 10:00"))


def test_kept_dates_skip_what_is_overdue_by_more_than_the_grace():
	plan = make_plan(*on_days(a=0, b=1, c=3), if_late=IfLate.KEEP_DATES, grace=timedelta(hours=24))
	position = started("2026-05-04 10:00")
	now = at("2026-05-05 10:01")

	first = decide(plan, position, now)
	position, done = send_due(plan, position, now)

	assert first == Skip("a", at("2026-05-04 10:00"), SkipReason.EXPIRED)
	assert done == ["-a", "b"]
	assert next_send_at(plan, position) == ("c", at("2026-05-07 10:00"))


def test_a_disabled_step_is_passed_over_without_breaking_the_chain():
	plan = make_plan(Step("a"), replace(after("b", 2), enabled=False), after("c", 3))

	schedule = planned_schedule(plan, started("2026-05-04 10:00"))

	assert schedule == [("a", at("2026-05-04 10:00")), ("c", at("2026-05-09 10:00"))]


def test_a_plan_with_all_steps_disabled_is_finished_at_once():
	plan = make_plan(Step("a", enabled=False), Step("b", 2, enabled=False))
	position = started("2026-05-04 10:00")

	decision = decide(plan, position, at("2026-05-04 10:00"))

	assert decision == Finish()
	assert end_date(plan, position, None) == day("2026-05-04")


def test_ten_in_the_morning_stays_ten_across_a_clock_change():
	plan = make_plan(*on_days(a=0, b=1, c=2))

	schedule = planned_schedule(plan, started("2026-03-28 10:00"))

	assert [moment.isoformat() for _, moment in schedule] == [
		"2026-03-28T09:00:00+00:00",
		"2026-03-29T08:00:00+00:00",
		"2026-03-30T08:00:00+00:00",
	]


@pytest.mark.parametrize(
	("zone", "start", "expected"),
	[
		("Europe/Berlin", "2026-03-28 02:30", "2026-03-29T01:30:00+00:00"),  # shown as 03:30
		("America/New_York", "2026-03-07 02:30", "2026-03-08T07:30:00+00:00"),
		("Australia/Lord_Howe", "2026-10-03 02:15", "2026-10-03T15:45:00+00:00"),  # the gap is half an hour
		(
			"Pacific/Apia",
			"2011-12-29 10:00",
			"2011-12-30T20:00:00+00:00",
		),  # 30 December was left out: shown as the 31st
		("Europe/Berlin", "2026-10-24 02:30", "2026-10-25T00:30:00+00:00"),  # the first of two
		("America/New_York", "2026-10-31 01:30", "2026-11-01T05:30:00+00:00"),
		("Australia/Lord_Howe", "2026-04-04 01:45", "2026-04-04T14:45:00+00:00"),
		("Asia/Kolkata", "2026-03-28 02:30", "2026-03-28T21:00:00+00:00"),
		("Europe/Berlin", "2028-02-28 10:00", "2028-02-29T09:00:00+00:00"),
		("Europe/Berlin", "2026-12-31 10:00", "2027-01-01T09:00:00+00:00"),
	],
)
def test_a_local_time_that_is_missing_or_doubled_means_one_stated_instant(zone, start, expected):
	plan = make_plan(*on_days(a=1), timezone=zone)

	_, planned = next_send_at(plan, started(start, zone))

	assert planned.isoformat() == expected


def test_the_clock_of_the_recipient_counts_if_it_is_known():
	plan = make_plan(*on_days(a=1))

	_, planned = next_send_at(plan, started("2026-03-07 10:00", "America/New_York", "America/New_York"))

	assert planned == at("2026-03-08 10:00", "America/New_York")


def test_an_end_of_the_campaign_skips_what_is_left():
	plan = make_plan(*on_days(a=0, b=3, c=4), end_date=day("2026-05-06"))
	position, _ = send_due(plan, started("2026-05-04 10:00"), at("2026-05-04 10:00"))
	after_the_end = at("2026-05-07 00:00")

	waiting = decide(plan, position, at("2026-05-06 23:59"))
	last_day = end_date(plan, position, at("2026-05-04 10:00"))
	_, done = send_due(plan, position, after_the_end)

	assert waiting == Wait("b", after_the_end)
	assert next_send_at(plan, position) == ("b", after_the_end)
	assert last_day == day("2026-05-04")
	assert decide(plan, position, after_the_end) == Skip(
		"b", at("2026-05-07 10:00"), SkipReason.CAMPAIGN_ENDED
	)
	assert done == ["-b", "-c"]


def test_the_end_date_is_the_recipients_day_of_the_last_step():
	plan = make_plan(*on_days(a=0, b=4))
	position = started("2026-05-04 23:00", timezone="Asia/Kolkata")

	last_day = end_date(plan, position, None)

	assert last_day == day("2026-05-09")


def test_a_late_send_moves_the_end_date():
	plan = make_plan(*on_days(a=0, b=4))
	position, _ = send_due(plan, started("2026-05-04 10:00"), at("2026-05-06 10:00"))

	last_day = end_date(plan, position, at("2026-05-06 10:00"))

	assert last_day == day("2026-05-10")


@pytest.mark.parametrize(
	("status", "reopen", "expected"),
	[
		(Status.COMPLETED, True, True),
		(Status.COMPLETED, False, False),
		(Status.UNSUBSCRIBED, True, False),
		(Status.EXITED, True, False),
	],
)
def test_a_step_added_at_the_end_reaches_those_who_had_completed_if_the_campaign_says_so(
	status, reopen, expected
):
	plan = make_plan(*on_days(a=0), reopen_completed=reopen)
	position, _ = send_due(plan, started("2026-05-04 10:00"), at("2026-05-04 10:00"))
	longer = replace(plan, steps=on_days(a=0, b=2))

	assert reopens(plan, position, status) is False
	assert reopens(longer, position, status) is expected


def test_a_start_without_offset_is_refused():
	with pytest.raises(NaiveMomentError, match="does not say its time zone"):
		begin(at("2026-05-04 10:00").replace(tzinfo=None), None)
