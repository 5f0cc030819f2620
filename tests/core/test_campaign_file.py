"""Campaigns as files: what is read, and what is refused with the place and the remedy."""

import json
from pathlib import Path

import pytest

from drip_campaigns.core.campaign_file import MOST_CHARACTERS, CampaignFileError, read_campaign_file

BUILT_IN = sorted(
	(Path(__file__).parents[2] / "drip_campaigns" / "campaign_templates" / "built_in").glob("*.json")
)
GOOD = {
	"format": "drip-campaign",
	"version": 1,
	"title": "Welcome",
	"campaign": {"if_late": "Keep Dates"},
	"steps": [{"subject": "Hello", "message": "<p>Hello</p>"}],
	"triggers": [{"kind": "Tag Added", "tag": "Hot"}],
}


def change(**values) -> str:
	"""Return a good file with some of it changed; None takes a key away."""
	content = {**GOOD, **values}
	return json.dumps({key: value for key, value in content.items() if value is not None})


def test_good_file_is_read_as_it_is():
	assert read_campaign_file(change()) == GOOD


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: path.stem)
def test_each_of_ours_is_a_good_file(path):
	content = read_campaign_file(path.read_text(encoding="utf-8"))

	assert content["description"]
	assert content["steps"]


def test_seven_are_ours():
	assert len(BUILT_IN) == 7


@pytest.mark.parametrize(
	("text", "words"),
	[
		("{", "The file isn't valid JSON"),
		("[" * 100_000, "The file isn't valid JSON"),
		("[]", "This isn't a campaign file"),
		(change(format="listmonk"), "This isn't a campaign file"),
		(change(version=None), "has no version"),
		(change(version=True), "has no version"),
		(
			change(version=2),
			"A newer version of the app created this file (file version 2, this site reads 1)",
		),
		(change(title=None), "title is missing"),
		(change(sender="x@example.com"), "sender is unknown"),
		(change(campaign={"owner": "Administrator"}), "campaign.owner is unknown"),
		(change(campaign={"status": "Active"}), "campaign.status is unknown"),
		(change(campaign=[]), "campaign must be an object"),
		(change(steps=[]), "steps is missing"),
		(change(steps=None), "steps is missing"),
		(change(steps={}), "steps must be a list"),
		(change(steps=[5]), "steps must be a list of objects"),
		(change(steps=[{"subject": "Hello"}]), "steps[0] has no text"),
		(change(steps=[{"message": "Hello"}]), "steps[0].subject is missing"),
		(change(steps=[{**GOOD["steps"][0], "name": "x"}]), "steps[0].name is unknown"),
		(
			change(steps=[{**GOOD["steps"][0], "send_after_days": "2"}]),
			"steps[0].send_after_days must be a whole",
		),
		(change(steps=[{**GOOD["steps"][0], "send_after_days": -1}]), "steps[0].send_after_days is -1"),
		(change(steps=GOOD["steps"] * 101), "steps has 101 rows. Keep at most 100"),
		(change(campaign={"if_late": "Explode"}), "Choose one of: Keep Intervals, Keep Dates"),
		(change(campaign={"window_from": "half past"}), "Enter a time such as 08:00:00"),
		(
			change(steps=[{"step_type": "Action", "run_when": "Explode"}]),
			"Choose one of: On Schedule, On Exit",
		),
		(change(variants=[{"step_label": "Nowhere"}]), "variants[0].step_label isn't the label of a step"),
		(change(variants=[{"step_label": "x", "owner": "y"}]), "variants[0].owner is unknown"),
		(change(triggers=[{}]), "triggers[0].kind is missing"),
		(change(triggers=[{"kind": "Tag Added", "filters": "[]"}]), "triggers[0].filters is unknown"),
		(change(title="x" * MOST_CHARACTERS), "to at most 1,000,000"),
	],
)
def test_bad_file_is_refused_with_the_place_and_the_remedy(text, words):
	with pytest.raises(CampaignFileError) as caught:
		read_campaign_file(text)

	assert words in str(caught.value)
