"""Steps that are no emails: how the schedule passes them, and where it ends."""

from datetime import date, datetime, time, timedelta

import pytest

from drip_campaigns.core.errors import DripError, DuplicateLabelError
from drip_campaigns.core.flow.condition_kinds.tag import TagTest
from drip_campaigns.core.flow.conditions import Conditions
from drip_campaigns.core.flow.evaluate import evaluate_step
from drip_campaigns.core.flow.operators import compare
from drip_campaigns.core.flow.step_flow import Flow
from drip_campaigns.core.flow.wait_kinds.clock_time import ClockWait
from drip_campaigns.core.flow.wait_kinds.date_field import DateWait
from drip_campaigns.core.model import CountedFrom, Finish, IfLate, Reach, Step, StepType, Wait
from drip_campaigns.core.schedule.due_steps import (
	advance,
	decide,
	find_next,
	go_on,
	next_send_at,
	planned_schedule,
)
from drip_campaigns.core.schedule.plan_checks import validate_plan
from drip_campaigns.core.simulation.scenario_file import explain, read_scenario
from drip_campaigns.core.simulation.scripted_data import ScriptedData
from tests.core.builders import at, make_plan, send_due, started


def test_a_step_that_is_no_email_is_reached_in_its_turn():
	plan = make_plan(Step("a"), Step("visit", 1, type=StepType.ACTION), Step("b", 2))

	position, done = send_due(plan, started("2026-05-04 10:00"), at("2026-05-04 10:00"))

	assert done == ["a"]
	assert decide(plan, position, at("2026-05-05 10:00")) == Reach("visit", at("2026-05-05 10:00"))


def test_nothing_follows_an_end():
	plan = make_plan(Step("a"), Step("end", 1, type=StepType.END), Step("b", 2))

	position, done = send_due(plan, started("2026-05-04 10:00"), at("2026-05-09 10:00"))
	position, done_next_day = send_due(plan, position, at("2026-05-10 10:00"))

	assert done + done_next_day == ["a", "end"]
	assert decide(plan, position, at("2026-06-01 10:00")) == Finish()
	assert find_next(plan, position) is None


def test_an_end_whose_conditions_are_not_met_is_passed_and_one_that_names_a_next_step_is_an_end_all_the_same():
	hot = Conditions((TagTest("hot"),))
	end = Step("end", 1, type=StepType.END, flow=Flow(conditions=hot, next_step="B"))
	plan = make_plan(end, Step("b", 3, label="B"))
	position, now = started("2026-05-04 10:00"), at("2026-05-05 10:00")
	due = decide(plan, position, now)

	turn = evaluate_step(plan, position, due, ScriptedData({}), now)
	passed = go_on(plan, position, "end", now, turn.target, is_done=False)

	assert next_send_at(plan, passed) == ("b", at("2026-05-07 10:00"))
	assert evaluate_step(plan, position, due, ScriptedData({"tags": ["hot"]}), now) == due
	assert find_next(plan, advance(plan, position, "end", now)) is None


def test_two_steps_with_one_label_are_refused():
	plan = make_plan(Step("a", label="Hello"), Step("b", label="Hello"))

	with pytest.raises(DuplicateLabelError) as caught:
		validate_plan(plan)

	assert (caught.value.field, caught.value.step) == ("label", "b")


def test_a_forward_jump_keeps_the_distance_and_one_to_a_step_that_counts_from_the_previous_waits_its_own():
	plan = make_plan(
		Step("a", 1, flow=Flow(next_step="C")),
		Step("b", 2),
		Step("c", 5, label="C", flow=Flow(next_step="D")),
		Step("d", 2, counted_from=CountedFrom.PREVIOUS_STEP, label="D"),
	)

	schedule = planned_schedule(plan, started("2026-05-04 10:00"))

	assert schedule == [
		("a", at("2026-05-05 10:00")),
		("c", at("2026-05-09 10:00")),
		("d", at("2026-05-11 10:00")),
	]


def test_a_jump_follows_its_target_when_the_campaign_is_edited_and_goes_on_in_order_when_it_is_deleted():
	plan = make_plan(Step("a", flow=Flow(next_step="C")), Step("b", 2), Step("c", 5, label="C"))
	position, _ = send_due(plan, started("2026-05-04 10:00"), at("2026-05-04 10:00"))

	moved = make_plan(Step("a", flow=Flow(next_step="C")), Step("b", 2), Step("c", 9, label="C"))
	deleted = make_plan(Step("a"), Step("b", 2))

	assert next_send_at(plan, position) == ("c", at("2026-05-09 10:00"))
	assert next_send_at(moved, position) == ("c", at("2026-05-13 10:00"))
	assert next_send_at(deleted, position) == ("b", at("2026-05-06 10:00"))


def test_what_follows_a_wait_is_counted_from_its_end_although_the_campaign_keeps_its_dates():
	wait = Step("wait", flow=Flow(awaited=ClockWait(time(18))), type=StepType.WAIT)
	plan = make_plan(wait, Step("b", 2), if_late=IfLate.KEEP_DATES)

	position = go_on(plan, started("2026-05-04 10:00"), "wait", at("2026-05-04 18:00"), None)

	assert next_send_at(plan, position) == ("b", at("2026-05-06 18:00"))


@pytest.mark.parametrize(
	("value", "operator", "wanted", "expected"),
	[
		("Open", "=", "open", True),
		(None, "=", "", True),
		(None, "!=", "Open", True),
		(0, "is", "not set", True),
		(0.0, "is", "set", False),
		(False, "is", "set", False),
		(7, "is", "set", True),
		(True, "=", "true", True),
		(1, "=", "Yes", True),
		(100.0, "=", "100", True),
		(timedelta(hours=9), "=", "09:00", True),
		(time(9), "=", "9:00:00", True),
		(timedelta(hours=9), "<", "10:00", True),
		("José", "=", "jose", True),
		("", "is", "not set", True),
		(5, ">", "4.5", True),
		(None, "<", "4", False),
		("word", ">", "zoo", False),
		(date(2026, 5, 4), "Between", ["2026-05-04", "2026-05-05"], True),
		(datetime.fromisoformat("2026-05-05 12:00"), "Between", ["2026-05-04", "2026-05-05"], True),
		(date(2026, 5, 4), ">=", "no day", False),
		("Anna (Ltd)", "like", "%(ltd)", True),
		("Anna", "not like", "a_a", True),
		("b", "in", "a, b", True),
		(3, "not in", ["1", "2"], True),
	],
)
def test_fields_are_compared_as_the_database_would(value, operator, wanted, expected):
	assert compare(value, operator, wanted) is expected


@pytest.mark.parametrize(
	("change", "message"),
	[
		({"conditions": {"tests": [{"kind": "dream"}]}}, "campaign.steps[0].conditions.tests[0].kind"),
		(
			{"conditions": {"tests": [{"kind": "tag"}]}},
			"campaign.steps[0].conditions.tests[0].tag: is missing",
		),
		({"conditions": {"tests": [{"kind": "expression", "expression": "1"}]}}, "needs a site"),
		({"conditions": {"tests": [{"kind": "field", "field": "a", "operator": "~"}]}}, "tests[0].operator"),
		({"conditions": {"tests": "all"}}, "campaign.steps[0].conditions.tests: must be a list"),
		({"type": "wait"}, "campaign.steps[0].wait_for: is missing"),
		({"type": "wait", "wait_for": "clock time", "wait_time": "25:00"}, "campaign.steps[0].wait_time"),
		({"next_step": "Nowhere"}, "campaign.steps[0].next_step: No step has the label 'Nowhere'."),
		({"otherwise": "fly"}, "campaign.steps[0].otherwise"),
		({"wait_for": "opened"}, "campaign.steps[0].wait_for: is not a field of this object"),
	],
)
def test_a_file_with_a_bad_flow_is_refused_with_one_line_that_names_the_field(change, message):
	scenario = {
		"campaign": {"timezone": "UTC", "steps": [{"id": "a", **change}]},
		"enrollment": {"start": "2026-05-04T10:00:00"},
		"until": "2026-06-01T00:00:00",
	}

	with pytest.raises(DripError) as caught:
		read_scenario(scenario)

	assert message in explain(caught.value)


@pytest.mark.parametrize(
	("line", "field"),
	[
		({"do": "event", "event": "dreamt", "step": "a"}, "script[0].event"),
		({"do": "event", "event": "opened"}, "script[0].step: is missing"),
		({"do": "set_field", "field": "status"}, "script[0].value: is missing"),
		({"do": "add_tag", "name": "x"}, "script[0].tag: is missing"),
		({"do": "stand_on", "campaign": "x", "stands": "there"}, "script[0].stands"),
	],
)
def test_a_bad_line_of_the_script_is_named(line, field):
	scenario = {
		"campaign": {"timezone": "UTC", "steps": [{"id": "a"}]},
		"enrollment": {"start": "2026-05-04T10:00:00"},
		"script": [{"at": "2026-05-05T10:00:00", **line}],
		"until": "2026-06-01T00:00:00",
	}

	with pytest.raises(DripError) as caught:
		read_scenario(scenario)

	assert explain(caught.value).startswith(field)


@pytest.mark.parametrize(
	("renewal", "until"),
	[
		# A moment is the same everywhere; a day begins, and a clock is read, where the recipient lives.
		(at("2026-05-05 14:00"), at("2026-05-06 14:00")),
		(date(2026, 5, 5), at("2026-05-06 00:00", "America/New_York")),
		("2026-05-05 14:00", at("2026-05-06 14:00", "America/New_York")),
	],
)
def test_wait_for_a_date_ends_days_after_a_day_or_a_moment(renewal, until):
	awaited = DateWait("renewal", 1)
	plan = make_plan(Step("wait", type=StepType.WAIT, flow=Flow(awaited=awaited)))
	position = started("2026-05-04 10:00", timezone="America/New_York")
	facts, early = ScriptedData({"fields": {"renewal": renewal}}), at("2026-05-06 05:00")
	due = decide(plan, position, early)

	assert evaluate_step(plan, position, due, facts, early) == Wait("wait", until)
	assert evaluate_step(plan, position, due, facts, until).at == until
