"""The worked examples of docs/guide/schedule.md and docs/guide/flow.md are true."""

import json
import re
from pathlib import Path

import pytest

from drip_campaigns.core.simulate import play
from drip_campaigns.core.simulation.scenario_file import read_scenario, write_outcome

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
FEWEST_EXAMPLES = {"schedule": 8, "flow": 10}


def load_examples(page: str) -> list:
	"""Return (scenario, outcome) of each example of a page: a heading, and two blocks of JSON under it."""
	text = (GUIDE / f"{page}.md").read_text(encoding="utf-8")
	sections = re.split(r"^### (?=\d)", text, flags=re.MULTILINE)[1:]
	examples = []
	for section in sections:
		title = section.splitlines()[0]
		scenario, outcome = re.findall(r"^```json\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
		examples.append(pytest.param(json.loads(scenario), json.loads(outcome), id=title))
	return examples


EXAMPLES = {page: load_examples(page) for page in FEWEST_EXAMPLES}


def test_there_are_enough_examples():
	for page, fewest in FEWEST_EXAMPLES.items():
		assert len(EXAMPLES[page]) >= fewest


@pytest.mark.parametrize(("scenario", "outcome"), [*EXAMPLES["schedule"], *EXAMPLES["flow"]])
def test_an_example_of_the_page_gives_what_the_page_says(scenario, outcome):
	played = write_outcome(play(read_scenario(scenario)))

	assert json.loads(played) == outcome
