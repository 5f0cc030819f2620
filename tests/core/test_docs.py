"""The worked examples of docs/schedule.md are true."""

import json
import re
from pathlib import Path

import pytest

from drip_campaigns.core.simulate import play
from drip_campaigns.core.simulate_file import read_scenario, write_outcome

PAGE = Path(__file__).parents[2] / "docs" / "schedule.md"
FEWEST_EXAMPLES = 8


def load_examples() -> list:
	"""Return (title, scenario, outcome) of each example: a heading, and two blocks of JSON under it."""
	sections = re.split(r"^### (?=\d)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
	examples = []
	for section in sections:
		title = section.splitlines()[0]
		scenario, outcome = re.findall(r"^```json\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
		examples.append(pytest.param(json.loads(scenario), json.loads(outcome), id=title))
	return examples


EXAMPLES = load_examples()


def test_there_are_enough_examples():
	assert len(EXAMPLES) >= FEWEST_EXAMPLES


@pytest.mark.parametrize(("scenario", "outcome"), EXAMPLES)
def test_an_example_of_the_page_gives_what_the_page_says(scenario, outcome):
	played = write_outcome(play(read_scenario(scenario)))

	assert json.loads(played) == outcome
