"""Steps that act, pauses of a step and the frequency cap in the simulation: what is done when, and what is refused."""

import pytest

from drip_campaigns.core.errors import InvalidScenarioError
from tests.core.test_simulate import make_file, run


def act(name: str, days: int = 0, **fields) -> dict:
	return {"id": name, "step_type": "Action", "send_after_days": days, **fields}


def leave(because: str) -> dict:
	return {"at": "2026-03-28T10:00:00", "do": "remove", "because": because}


@pytest.mark.parametrize(
	("action", "condition"),
	[
		({"action": "Add Tag", "action_tag": "Hot"}, {"kind": "tag", "tag": "Hot"}),
		({"action": "Add to List", "action_list": "News"}, {"kind": "list", "list": "News"}),
		(
			{"action": "Set Field", "action_field": "status", "action_value": "Lost"},
			{"kind": "field", "field": "status", "operator": "=", "value": "Lost"},
		),
		(
			{"action": "enroll in campaign", "action_campaign": "Next"},
			{"kind": "campaign", "campaign": "Next", "stands": "now"},
		),
	],
)
def test_what_an_action_changes_holds_for_the_conditions_after_it(action, condition):
	asks = {"conditions": {"tests": [condition]}}
	steps = [{"id": "before", **asks}, act("act", 1, **action), {"id": "after", "send_after_days": 2, **asks}]

	outcome = run(make_file(steps=steps))

	assert [line["step"] for line in outcome["skipped"]] == ["before"]
	assert [line["step"] for line in outcome["done"]] == ["act"]
	assert [line["step"] for line in outcome["sent"]] == ["after"]


def test_step_after_a_todo_waits_for_ever_if_nobody_closes_it():
	steps = [act("call", action="Assign ToDo", wait_for_todo=True), {"id": "mail", "send_after_days": 1}]

	outcome = run(make_file(steps=steps))

	assert (outcome["sent"], outcome["status"]) == ([], "In Progress")


@pytest.mark.parametrize(("because", "done"), [("goal", ["goal", "any"]), ("reply", ["any"])])
def test_steps_for_leavers_ask_why_and_are_not_done_for_who_has_come_back(because, done):
	leaving = {"run_when": "On Exit", "send_after_days": 3, "action": "Notify User"}
	steps = [
		{"id": "mail", "send_after_days": 9},
		act("goal", on_exit_reason="Goal", **leaving),
		act("any", **leaving),
	]
	back = {"at": "2026-03-30T10:00:00", "do": "enroll"}

	gone, come_back = (
		run(make_file(leave(because), steps=steps)),
		run(make_file(leave(because), back, steps=steps)),
	)

	assert [line["step"] for line in gone["done"]] == done
	assert {line["at"][:10] for line in gone["done"]} == {"2026-03-31"}
	assert "done" not in come_back
	assert [line["step"] for line in come_back["skipped"]] == done


def test_step_that_is_held_waits_until_it_is_let_go_on_and_the_next_keeps_its_distance():
	steps = [{"id": "a"}, {"id": "b", "send_after_days": 1}, {"id": "c", "send_after_days": 2}]
	script = [
		{"at": "2026-03-27T12:00:00", "do": "pause_step", "step": "b"},
		{"at": "2026-04-02T09:00:00", "do": "resume_step", "step": "b"},
	]

	held, let_go = run(make_file(script[0], steps=steps)), run(make_file(*script, steps=steps))

	assert [line["step"] for line in held["sent"]] == ["a"]
	assert [line["at"][:16] for line in let_go["sent"]] == [
		"2026-03-27T10:00",
		"2026-04-02T09:00",
		"2026-04-03T09:00",
	]


@pytest.mark.parametrize(
	("step", "message"),
	[
		(act("x", action="Explode"), "campaign.steps[0].action: must be one of: set field, add tag"),
		(act("x", action="Add Tag"), "campaign.steps[0].action_tag: is missing"),
		(
			act("x", action="Add Tag", action_tag="a", webhook="b"),
			"campaign.steps[0].webhook: is not a field",
		),
		({"id": "x", "action": "Add Tag"}, "campaign.steps[0].action: is not a field"),
		({"id": "x", "type": "send", "step_type": "Action"}, "campaign.steps[0].type: is not a field"),
		(act("x", run_when="never"), "campaign.steps[0].run_when: must be one of: on schedule, on exit"),
	],
)
def test_action_that_cannot_be_read_is_named(step, message):
	with pytest.raises(InvalidScenarioError) as caught:
		run(make_file(steps=[step]))

	assert f"{caught.value.field}: {caught.value}".startswith(message)


@pytest.mark.parametrize(
	("cap", "message"),
	[
		({"count": -1}, "frequency_cap.count: must be a whole number"),
		({"count": 1, "days": 61}, "frequency_cap.days: must be 60 at most"),
		({"emails": 1}, "frequency_cap.emails: is not a field"),
	],
)
def test_cap_that_cannot_be_read_is_named(cap, message):
	with pytest.raises(InvalidScenarioError) as caught:
		run({**make_file(), "frequency_cap": cap})

	assert f"{caught.value.field}: {caught.value}".startswith(message)
