"""When each step can come: exact in a plain list, a range where waits and branches decide, and no end where none is set."""

from dataclasses import replace
from datetime import time

import pytest

from drip_campaigns.core.flow.condition_kinds.event import EmailFeedback, EventTest
from drip_campaigns.core.flow.condition_kinds.tag import TagTest
from drip_campaigns.core.flow.conditions import Conditions
from drip_campaigns.core.flow.forecast import Arrival, Offset, find_arrivals, find_offsets, find_steps_to_come
from drip_campaigns.core.flow.step_flow import Flow, Otherwise
from drip_campaigns.core.flow.turn import Schedule, Turn
from drip_campaigns.core.flow.wait_kind import OnTimeout
from drip_campaigns.core.flow.wait_kinds.clock_time import ClockWait
from drip_campaigns.core.flow.wait_kinds.date_field import DateWait
from drip_campaigns.core.flow.wait_kinds.event import EventWait
from drip_campaigns.core.model import CountedFrom, Finish, Reach, Send, Step, StepType, Wait
from drip_campaigns.core.simulation.scripted_data import ScriptedData
from tests.core.builders import after, at, make_plan, on_days, started

HOT = Conditions((TagTest("hot"),))
OPENED = EventTest(EmailFeedback.OPENED, "")


def wait(days, awaited, *, label=""):
	return Step("wait", days, type=StepType.WAIT, label=label, flow=Flow(awaited=awaited))


def offsets(*steps, **rules):
	found = find_offsets(make_plan(*steps, **rules))
	return {step: (offset.earliest, offset.latest) for step, offset in found.items()}


def test_days_of_a_plain_list_are_exact_whatever_its_weekdays_and_window():
	found = offsets(*on_days(a=0, b=3), after("c", 1, 2), weekdays=frozenset({0}), window=(time(9), time(10)))

	assert found == {"a": (0, 0), "b": (72, 72), "c": (98, 98)}


@pytest.mark.parametrize(
	("awaited", "expected"),
	[
		(EventWait(OPENED, limit_hours=72), (120, 192)),
		(EventWait(OPENED), (120, None)),
		(DateWait("renewal"), (120, None)),
		(ClockWait(time(9)), (120, 144)),
		(ClockWait(time(9), limit_hours=6), (120, 126)),
	],
	ids=["event with a limit", "event", "date", "time of day", "time of day with a limit"],
)
def test_what_follows_a_wait_is_a_range(awaited, expected):
	found = offsets(Step("a"), wait(1, awaited), Step("b", 5))

	assert found == {"a": (0, 0), "wait": (24, 24), "b": expected}


def test_step_on_two_ways_comes_between_the_earlier_and_the_later_of_them():
	jump = Flow(conditions=HOT, otherwise=Otherwise.GO_TO_STEP, otherwise_step="D")
	last = replace(after("d", 2), label="D")

	found = offsets(Step("a", flow=jump), Step("b", 2), Step("c", 5), last)

	assert found == {"a": (0, 0), "b": (48, 48), "c": (120, 120), "d": (48, 168)}


def test_loop_and_paused_step_leave_the_end_of_a_range_open():
	jump = {"on_timeout": OnTimeout.GO_TO_STEP, "on_timeout_step": "W"}
	again = wait(1, EventWait(OPENED, limit_hours=24, **jump), label="W")

	assert offsets(Step("a"), again, Step("b", 2)) == {"a": (0, 0), "wait": (24, None), "b": (48, None)}
	assert offsets(Step("a"), Step("held", 1, is_held=True), Step("b", 2))["b"] == (48, None)
	assert offsets(Step("a", type=StepType.ACTION, waits_for_todo=True), Step("b", 2))["b"] == (48, None)


def test_disabled_step_has_the_day_it_would_have_and_one_that_nobody_reaches_has_none():
	found = offsets(Step("a"), Step("off", 1, enabled=False), Step("end", 2, type=StepType.END), Step("z", 3))

	assert found == {"a": (0, 0), "off": (24, 24), "end": (48, 48)}


def test_enrollment_that_waits_gets_the_rest_between_now_and_the_limit_of_its_wait():
	plan = make_plan(Step("a"), wait(0, EventWait(OPENED, limit_hours=72)), after("b", 1))
	position = Schedule(plan).advance(started("2026-05-04 10:00"), "a", at("2026-05-04 10:00"))
	position = replace(position, waiting_since=at("2026-05-04 10:00"))

	found = find_arrivals(plan, position, at("2026-05-06 10:00"))

	assert found["b"] == Arrival(at("2026-05-07 10:00"), at("2026-05-08 10:00"))
	assert not found["b"].is_exact


def test_steps_to_come_are_those_on_every_way_that_is_still_open():
	jump = Flow(conditions=HOT, otherwise=Otherwise.GO_TO_STEP, otherwise_step="No")
	yes, no = Step("yes", 1, flow=Flow(next_step="Last")), Step("no", 2, label="No")
	plan = make_plan(Step("a", flow=jump), yes, no, Step("last", 3, label="Last"))

	assert find_steps_to_come(plan, started("2026-05-04 10:00")) == {"a", "yes", "no", "last"}


def test_turn_passes_all_that_needs_no_email_and_leaves_the_position_before_what_the_caller_refuses():
	act = Step("act", type=StepType.ACTION)
	plan = make_plan(Step("skipped", flow=Flow(conditions=HOT)), act, Step("mail"))
	now = at("2026-05-04 10:00")

	turn = Turn(Schedule(plan), started("2026-05-04 10:00"), ScriptedData({}), now)
	passed = [decision.step_id for decision in turn.pass_steps()]
	stopped = Turn(Schedule(plan), started("2026-05-04 10:00"), ScriptedData({}), now)
	refused = next(decision for decision in stopped.pass_steps() if isinstance(decision, Reach))

	assert (passed, turn.decision) == (["skipped", "act"], Send("mail", now))
	assert refused.step_id == "act"
	assert stopped.position.reached_step == "skipped"


def test_turn_waits_for_a_todo_before_all_that_follows_but_not_before_the_end():
	act = Step("act", type=StepType.ACTION, waits_for_todo=True)
	now = at("2026-05-04 10:00")

	waiting = Turn(Schedule(make_plan(act, Step("mail"))), started("2026-05-04 10:00"), None, now)
	ending = Turn(Schedule(make_plan(act)), started("2026-05-04 10:00"), None, now)

	assert [decision.step_id for decision in waiting.pass_steps()] == ["act"]
	assert isinstance(waiting.decision, Wait) and waiting.awaits_todo
	assert [decision.step_id for decision in ending.pass_steps()] == ["act"]
	assert ending.decision == Finish()


def test_deferred_email_waits_until_then():
	now, later = at("2026-05-04 10:00"), at("2026-05-05 10:00")
	turn = Turn(Schedule(make_plan(Step("mail"))), started("2026-05-04 10:00"), None, now)
	list(turn.pass_steps())

	turn.defer(later)

	assert turn.decision == Wait("mail", later)


def test_offset_counts_from_the_previous_step_as_the_schedule_does():
	steps = (Step("a", 1), Step("b", 2, 3, CountedFrom.PREVIOUS_STEP, enabled=False), after("c", 1))

	assert find_offsets(make_plan(*steps))["c"] == Offset(99, 99)
