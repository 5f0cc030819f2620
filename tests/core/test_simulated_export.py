"""An exported campaign in the simulation: the file that a site writes is played without a site."""

import json
from pathlib import Path

import pytest

import drip_campaigns.campaign_templates
from drip_campaigns.core.simulate import main, play
from drip_campaigns.core.simulation.scenario_file import read_scenario

BUILT_IN = sorted((Path(drip_campaigns.campaign_templates.__file__).parent / "built_in").glob("*.json"))
DATES = ["--start", "2026-03-02T10:00:00", "--until", "2026-06-01T00:00:00"]


@pytest.mark.parametrize("file", BUILT_IN, ids=lambda file: file.stem)
def test_every_built_in_template_is_played_to_its_end(file, capsys):
	steps = json.loads(file.read_text(encoding="utf-8"))["steps"]

	assert main([str(file), *DATES]) == 0

	result = json.loads(capsys.readouterr().out)
	assert result["status"] == "Completed"
	assert [row["step"] for row in result["sent"]] == [f"step-{n}" for n, _step in enumerate(steps, 1)]


def test_days_window_waits_and_branches_of_an_export_are_played():
	opened = {"tests": [{"kind": "event", "event": "opened", "step": "Welcome"}]}
	export = {
		"format": "drip-campaign",
		"version": 1,
		"title": "Welcome",
		"campaign": {"window_from": "09:00:00", "window_to": "12:00:00", "saturday": 0, "sunday": 0},
		"steps": [
			{"label": "Welcome", "subject": "Hello", "message": "Hello"},
			{
				"step_type": "Wait Until",
				"wait_for": "Clicked",
				"wait_limit_days": 2,
				"on_timeout": "Continue",
			},
			{
				"label": "Tag",
				"step_type": "Action",
				"action": "Add Tag",
				"action_tag": "warm",
				"run_when": "On Schedule",
			},
			{
				**{
					"subject": "Thanks",
					"message": "Thanks",
					"send_after_days": 1,
					"counted_from": "Previous Step",
				},
				**{"conditions": json.dumps(opened), "otherwise": "Go To Step", "otherwise_step": "Offer"},
			},
			{"label": "Draft", "subject": "Later", "is_draft": 1},
			{"label": "Offer", "subject": "Offer", "message": "Offer", "send_after_days": 9},
		],
	}
	scenario = {
		"campaign": export,
		"enrollment": {"start": "2026-03-06T14:00:00+01:00", "timezone": "Europe/Berlin"},
		"until": "2026-06-01T00:00:00",
	}

	result = play(read_scenario(scenario))

	assert [(sent.step_id, f"{sent.at.astimezone(result.zone):%a %H:%M}") for sent in result.sent] == [
		("Welcome", "Mon 09:00"),
		("Offer", "Fri 09:00"),
	]
	assert [(turned.step_id, turned.what) for turned in result.turned] == [
		("step-2", "in vain"),
		("step-4", "to Offer"),
	]
	assert [acted.what for acted in result.acted] == ["Add Tag: warm"]


@pytest.mark.parametrize(
	("arguments", "message"),
	[
		([], "--start: is missing: an exported campaign has no dates"),
		(["--start", "soon", "--until", "2026-06-01T00:00:00"], "enrollment.start: must be a moment such as"),
	],
)
def test_missing_or_bad_date_of_an_export_is_named(arguments, message, capsys):
	assert main([str(BUILT_IN[0]), *arguments]) == 2

	assert message in capsys.readouterr().err
