"""Schedules played through time: the dispatch's runs, the script, and what the command prints."""

import json
import subprocess
import sys
from copy import deepcopy
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.core.errors import InvalidScenarioError
from drip_campaigns.core.model import Finish, Send, Skip
from drip_campaigns.core.schedule.due_steps import advance, begin, decide
from drip_campaigns.core.simulate import DispatchRuns, Player, main, play
from drip_campaigns.core.simulation.earlier_names import use_current_names
from drip_campaigns.core.simulation.scenario_file import read_scenario, write_outcome
from tests.core.strategies import ZONES

STEPS = [
	{"id": "a"},
	{"id": "b", "send_after_days": 2},
	{"id": "c", "send_after_days": 3, "send_after_hours": 0, "counted_from": "start", "enabled": True},
]


def make_file(
	*script, start="2026-03-27T10:00:00", until="2026-06-01T00:00:00", every=5, timezone=None, **campaign
):
	return {
		"campaign": {"timezone": "Europe/Berlin", "steps": STEPS, **campaign},
		"enrollment": {"start": start, "timezone": timezone},
		"script": list(script),
		"until": until,
		"every_minutes": every,
	}


def run(content) -> dict:
	return json.loads(write_outcome(play(read_scenario(deepcopy(content)))))


def sent(content) -> list[tuple[str, str]]:
	return [(line["step"], line["at"][:16]) for line in run(content)["sent"]]


def test_the_dispatch_runs_at_the_start_and_then_at_each_tick_from_midnight():
	content = make_file(start="2026-05-01T10:02:00", every=30)

	outcome = run(content)

	assert [line["at"] for line in outcome["sent"]] == [
		"2026-05-01T10:02:00+02:00",
		"2026-05-03T10:30:00+02:00",
		"2026-05-04T10:30:00+02:00",
	]
	assert outcome["sent"][1]["planned"] == "2026-05-03T10:02:00+02:00"


def test_a_daily_dispatch_runs_at_midnight_of_the_campaigns_zone():
	content = make_file(start="2026-05-01T10:00:00", every=1440, timezone="America/New_York")

	assert sent(content) == [("a", "2026-05-01T04:00"), ("b", "2026-05-03T18:00"), ("c", "2026-05-04T18:00")]


def test_ticks_begin_anew_at_each_midnight():
	runs = DispatchRuns(read_scenario(make_file(start="2026-05-01T00:00:00", every=1000)))
	start = runs.start

	ticks = [runs.next_run(start + timedelta(minutes=minutes)) - start for minutes in (1, 1001, 1441)]

	assert ticks == [timedelta(minutes=minutes) for minutes in (1000, 1440, 2440)]


def test_the_dispatch_runs_through_the_hour_that_comes_twice():
	runs = DispatchRuns(read_scenario(make_file(start="2026-10-25T00:00:00", every=60)))
	start = runs.start

	hours = {runs.next_run(start + timedelta(minutes=minutes)) - start for minutes in range(60 * 25)}

	assert hours == {timedelta(hours=number) for number in range(26)}


def test_a_start_while_the_dispatch_is_down_waits_for_the_first_tick():
	down = {"at": "2026-03-27T09:00:00", "do": "down", "until": "2026-03-27T12:02:00"}

	assert sent(make_file(down))[0] == ("a", "2026-03-27T12:05")


def test_the_dispatch_runs_again_at_the_end_of_a_down_time_if_that_is_a_tick():
	down = {"at": "2026-03-27T09:00:00", "do": "down", "until": "2026-03-27T12:00:00"}

	assert sent(make_file(down))[0] == ("a", "2026-03-27T12:00")


def test_the_script_comes_before_the_dispatch_of_the_same_moment():
	leave = {"at": "2026-03-29T10:00:00", "do": "unsubscribe"}

	outcome = run(make_file(leave))

	assert [line["step"] for line in outcome["sent"]] == ["a"]
	assert (outcome["status"], outcome["end_date"]) == ("Unsubscribed", "2026-03-27")


def test_the_lines_of_a_script_may_stand_in_any_order():
	pause = {"at": "2026-03-28T10:00:00", "do": "pause"}
	resume = {"at": "2026-04-28T10:00:00", "do": "resume"}

	assert run(make_file(pause, resume)) == run(make_file(resume, pause))


def test_a_run_at_the_last_moment_counts():
	content = make_file(until="2026-03-29T10:00:00")

	assert [step for step, _ in sent(content)] == ["a", "b"]


@pytest.mark.parametrize(
	("script", "until", "status"),
	[
		([], "2026-03-27T09:59:59", "Scheduled"),
		([], "2026-03-27T10:00:00", "In Progress"),
		([], "2026-06-01T00:00:00", "Completed"),
		([("2026-03-28", "pause")], "2026-06-01T00:00:00", "Paused"),
		([("2026-03-20", "pause"), ("2026-03-21", "resume")], "2026-03-26T00:00:00", "Scheduled"),
		([("2026-03-28", "remove")], "2026-06-01T00:00:00", "Exited"),
		([("2026-03-28", "remove"), ("2026-03-29", "enroll")], "2026-03-30T00:00:00", "In Progress"),
		([("2026-05-28", "unsubscribe")], "2026-06-01T00:00:00", "Unsubscribed"),
		([("2026-05-28", "pause")], "2026-06-01T00:00:00", "Completed"),
		([("2026-05-28", "enroll")], "2026-06-01T00:00:00", "Completed"),
		([("2026-03-28", "unsubscribe"), ("2026-03-29", "resume")], "2026-06-01T00:00:00", "Unsubscribed"),
	],
)
def test_where_the_enrollment_stands_at_the_end(script, until, status):
	content = make_file(*({"at": f"{day}T00:00:00", "do": do} for day, do in script), until=until)

	assert run(content)["status"] == status


def test_an_absence_that_began_with_a_pause_counts_from_the_pause():
	script = [("28", "pause"), ("29", "remove"), ("31", "enroll")]

	content = make_file(*({"at": f"2026-03-{day}T10:00:00", "do": do} for day, do in script))

	assert sent(content)[1] == ("b", "2026-04-01T10:00")


def test_an_edit_may_delete_every_step():
	edit = {"at": "2026-03-28T10:00:00", "do": "edit_steps", "steps": []}

	outcome = run(make_file(edit))

	assert (outcome["status"], outcome["end_date"]) == ("Completed", "2026-03-27")


def test_a_completed_enrollment_that_does_not_reopen_keeps_its_end_date():
	edit = {
		"at": "2026-05-01T10:00:00",
		"do": "edit_steps",
		"steps": [*STEPS, {"id": "d", "send_after_days": 90}],
	}

	outcome = run(make_file(edit, reopen_completed=False))

	assert (outcome["status"], outcome["end_date"]) == ("Completed", "2026-03-30")


def test_centuries_take_no_more_runs_than_there_are_steps_to_send(monkeypatch):
	runs, dispatch = [], Player._dispatch
	monkeypatch.setattr(
		Player, "_dispatch", lambda self, moment: runs.append(moment) or dispatch(self, moment)
	)
	steps = [{"id": str(number), "send_after_days": 30, "counted_from": "previous"} for number in range(1000)]

	outcome = run(make_file(steps=steps, until="2300-01-01T00:00:00", every=1, window=["09:00", "09:01"]))

	assert len(outcome["sent"]) == len(steps)
	assert len(steps) <= len(runs) <= 3 * len(steps)


@given(
	zone=st.sampled_from(ZONES),
	start=st.integers(0, 3000),
	delays=st.lists(st.integers(0, 60), min_size=1, max_size=4),
	every=st.sampled_from((5, 7, 60, 90, 1000, 1440)),
	mode=st.sampled_from(("keep intervals", "keep dates")),
	down=st.integers(0, 200),
)
def test_leaving_out_idle_runs_changes_nothing(zone, start, delays, every, mode, down):
	steps = [
		{"id": str(row), "send_after_hours": hours, "counted_from": "previous"}
		for row, hours in enumerate(delays)
	]
	scenario = read_scenario(
		{
			"campaign": {"timezone": zone, "steps": steps, "if_late": mode, "grace_hours": 5},
			"enrollment": {"start": f"2026-10-{1 + start // 100:02}T{start % 24:02}:{start % 60:02}:00"},
			"script": [
				{
					"at": "2026-10-01T00:00:00Z",
					"do": "down",
					"until": f"2026-10-{2 + down // 10:02}T03:00:00Z",
				}
			],
			"until": "2026-12-31T00:00:00",
			"every_minutes": every,
		}
	)

	outcome = play(scenario)

	assert [(line.step_id, line.at) for line in outcome.sent] == run_every_time(scenario)


def run_every_time(scenario):
	"""Run the dispatch at every single run; return what was sent and when."""
	runs, position, sent_steps = DispatchRuns(scenario), begin(scenario.start, None), []
	now = runs.next_run(scenario.start)
	while True:
		decision = decide(scenario.plan, position, now)
		if isinstance(decision, Finish):
			return sent_steps
		if isinstance(decision, (Send, Skip)):
			sent_steps += [(decision.step_id, now)] * isinstance(decision, Send)
			position = advance(scenario.plan, position, decision.step_id, now)
		else:
			now = runs.next_run(now + timedelta(seconds=1))


def broken(path, value):
	"""Return a good file with one field set to `value`, or without it for REMOVED."""
	content = deepcopy(make_file({"at": "2026-03-28T10:00:00", "do": "down", "until": "2026-03-29T10:00:00"}))
	*parents, key = path
	target = content
	for parent in parents:
		target = target[parent]
	if value is REMOVED:
		del target[key]
	else:
		target[key] = value
	return content


REMOVED = object()
MALFORMED = [
	(("campaign",), REMOVED, "campaign: is missing"),
	(("campaign",), [], "campaign: must be an object"),
	(("campaign", "steps"), REMOVED, "campaign.steps: is missing"),
	(("campaign", "steps"), [], "campaign.steps: The campaign has no steps."),
	(("campaign", "steps"), {}, "campaign.steps: must be a list"),
	(("campaign", "steps", 0), "a", "campaign.steps[0]: must be an object"),
	(("campaign", "steps", 0, "id"), REMOVED, "campaign.steps[0].id: is missing"),
	(("campaign", "steps", 0, "id"), 7, "campaign.steps[0].id: must be a text"),
	(("campaign", "steps", 1, "id"), "a", "campaign.steps[0].id: Two steps have the same id."),
	(
		("campaign", "steps", 1, "send_after_days"),
		-1,
		"campaign.steps[1].send_after_days: must be a whole number",
	),
	(
		("campaign", "steps", 1, "send_after_days"),
		1.5,
		"campaign.steps[1].send_after_days: must be a whole number",
	),
	(
		("campaign", "steps", 1, "send_after_days"),
		True,
		"campaign.steps[1].send_after_days: must be a whole number",
	),
	(
		("campaign", "steps", 1, "send_after_days"),
		99999,
		"campaign.steps[1].send_after_days: The days and hours",
	),
	(
		("campaign", "steps", 2, "counted_from"),
		"end",
		"campaign.steps[2].counted_from: must be one of: start, previous",
	),
	(("campaign", "steps", 2, "enabled"), 1, "campaign.steps[2].enabled: must be true or false"),
	(("campaign", "steps", 2, "subject"), "x", "campaign.steps[2].subject: is not a field of this object"),
	(("campaign", "timezone"), "Mars/Base", "campaign.timezone: There is no time zone named 'Mars/Base'."),
	(("campaign", "timezone"), None, "campaign.timezone: must be a text"),
	(("campaign", "if_late"), "Keep Dates", "campaign.if_late: must be one of: keep intervals, keep dates"),
	(("campaign", "grace_hours"), "24", "campaign.grace_hours: must be a whole number"),
	(("campaign", "re_enrollment"), [], "campaign.re_enrollment: must be one of: never, resume, restart"),
	(("campaign", "weekdays"), ["Mon", "Funday"], "campaign.weekdays[1]: must be one of: Mon"),
	(("campaign", "weekdays"), [], "campaign.weekdays: Allow at least one weekday"),
	(
		("campaign", "window"),
		["17:00", "09:00"],
		"campaign.window: The sending window must open before it closes.",
	),
	(("campaign", "window"), ["24:00", "09:00"], "campaign.window[0]: is not a time of day"),
	(("campaign", "window"), ["9", "17:00"], "campaign.window[0]: must be a time of day"),
	(("campaign", "window"), ["09:00"], "campaign.window: must be null or two times"),
	(("campaign", "start_date"), "2026-02-30", "campaign.start_date: is not a day"),
	(("campaign", "holidays"), ["2026-1-1"], "campaign.holidays[0]: must be a day"),
	(("enrollment", "start"), "27.03.2026", "enrollment.start: must be a moment"),
	(("enrollment", "start"), "2026-03-27T25:00:00", "enrollment.start: is not a moment"),
	(("enrollment", "start"), "9999-12-31T23:00:00", "enrollment.start: must lie in the years"),
	(("enrollment", "timezone"), "", "enrollment.timezone: must be a text"),
	(("script",), {}, "script: must be a list"),
	(("script", 0, "at"), REMOVED, "script[0].at: is missing"),
	(("script", 0, "do"), "dance", "script[0].do: must be one of: down, pause"),
	(("script", 0, "until"), REMOVED, "script[0].until: is missing"),
	(("script", 0, "until"), "2026-03-28T10:00:00", "script[0].until: must be later than at"),
	(("script", 0, "do"), "pause", "script[0].until: is not a field of this object"),
	(("script", 0), {"at": "2026-03-28T10:00:00", "do": "edit_steps"}, "script[0].steps: is missing"),
	(
		("script", 0),
		{"at": "2026-03-28T10:00:00", "do": "edit_steps", "steps": [{"id": "a"}, {"id": "a"}]},
		"script[0].steps[0].id: Two steps have the same id.",
	),
	(("until",), REMOVED, "until: is missing"),
	(("until",), 7, "until: must be a moment"),
	(("every_minutes",), 0, "every_minutes: must be a whole number from 1 to 1440"),
	(("speed",), 9, "speed: is not a field of this object"),
]


@pytest.mark.parametrize(("path", "value", "message"), MALFORMED)
def test_a_malformed_file_gets_one_line_that_names_the_field(path, value, message, tmp_path, capsys):
	file = tmp_path / "scenario.json"
	file.write_text(json.dumps(broken(path, value)), encoding="utf-8")

	code = main([str(file)])

	output = capsys.readouterr()
	assert code == 2
	assert output.out == ""
	assert output.err.startswith(f"{file}: {message}")
	assert output.err.count("\n") == 1


@pytest.mark.parametrize(
	"content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b'{"campaign": NaN}']
)
def test_what_is_not_such_a_file_at_all_gets_one_line(content, tmp_path, capsys):
	file = tmp_path / "scenario.json"
	file.write_bytes(content)

	code = main([str(file)])

	assert code == 2
	assert capsys.readouterr().err.count("\n") == 1


def test_a_file_that_is_not_there_gets_one_line(tmp_path, capsys):
	code = main([str(tmp_path / "nowhere.json")])

	assert code == 2
	assert "cannot be read" in capsys.readouterr().err


def test_holidays_without_end_get_one_line(tmp_path, capsys):
	file = tmp_path / "scenario.json"
	mondays = [str(date(2026, 3, 2) + timedelta(weeks=number)) for number in range(150)]
	file.write_text(json.dumps(make_file(weekdays=["Mon"], holidays=mondays)), encoding="utf-8")

	code = main([str(file)])

	assert code == 2
	assert capsys.readouterr().err == (
		f"{file}: campaign.weekdays: Weekdays, window and holidays allow no moment for sending within two years.\n"
	)


json_values = st.recursive(
	st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
	lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
	max_leaves=5,
)


@given(path=st.sampled_from([path for path, _, _ in MALFORMED]), value=json_values)
def test_whatever_stands_in_a_field_it_is_understood_or_named(path, value):
	try:
		outcome = play(read_scenario(broken(path, value)))
	except InvalidScenarioError as error:
		assert error.field.startswith(str(path[0]))
		assert str(error)
	else:
		assert json.loads(write_outcome(outcome))["status"]


def test_the_command_reads_standard_input_and_needs_no_site():
	command = [sys.executable, "-m", "drip_campaigns.core.simulate", "-"]

	result = subprocess.run(
		command, input=json.dumps(make_file()), capture_output=True, text=True, check=False
	)

	assert (result.returncode, result.stderr) == (0, "")
	assert json.loads(result.stdout) == run(make_file())


def test_file_with_the_earlier_names_of_fields_and_options_is_still_read():
	steps = [
		{"id": "wait", "type": "wait", "wait_for": "clicked", "wait_limit_days": 2},
		{"id": "end", "type": "end"},
		{"id": "ask", "step_type": "Action", "action": "Assign ToDo", "send_after_days": 3},
	]
	earlier = [{**steps[0], "if_in_vain": "Go On"}, steps[1], {**steps[2], "waits_for_close": True}]
	current = [{**steps[0], "on_timeout": "continue"}, steps[1], {**steps[2], "wait_for_todo": True}]

	assert [use_current_names(step) for step in earlier] == [use_current_names(step) for step in current]
	assert use_current_names({"on_timeout": "Exit"}) == {"on_timeout": "Exit"}
	assert use_current_names({"run_when": "When Somebody Leaves"}) == {"run_when": "on exit"}
