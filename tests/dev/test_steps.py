"""Steps run once, in order, and again only when what they depend on has changed."""

import pytest

from dev import paths
from dev.cli import forget_undone_steps
from dev.shell import StepError
from dev.steps import Step, StepRunner


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
	monkeypatch.setattr(paths, "CACHE", tmp_path)


def run(steps: list[Step]) -> list[str]:
	return StepRunner(steps, say=lambda line: None).run_all()


def test_a_step_that_succeeded_does_not_run_again():
	steps = [Step("one", "One", lambda: None)]

	assert run(steps) == ["one"]
	assert run(steps) == []


def test_a_step_runs_again_when_its_input_has_changed():
	version = ["1"]
	steps = [Step("one", "One", lambda: None, fingerprint=lambda: version[0])]
	run(steps)

	version[0] = "2"

	assert run(steps) == ["one"]


def test_a_step_runs_again_when_its_result_is_gone():
	present = [True]
	steps = [Step("one", "One", lambda: None, present=lambda: present[0])]
	run(steps)

	present[0] = False

	assert run(steps) == ["one"]


def test_a_step_runs_again_when_the_one_it_builds_on_did():
	version = ["1"]
	steps = [
		Step("base", "Base", lambda: None, fingerprint=lambda: version[0]),
		Step("top", "Top", lambda: None, needs=("base",), refreshes=("base",)),
		Step("beside", "Beside", lambda: None, needs=("base",)),
	]
	run(steps)

	version[0] = "2"

	assert run(steps) == ["base", "top"]


def test_a_failed_step_stops_what_needs_it_and_is_tried_again():
	def fail() -> None:
		raise StepError("It broke", "Mend it.")

	done = []
	top = Step("top", "Top", lambda: done.append("top"), needs=("base",))

	with pytest.raises(StepError, match="It broke"):
		run([Step("base", "Base", fail), top])
	assert done == []

	assert run([Step("base", "Base", lambda: None), top]) == ["base", "top"]


def test_a_command_that_takes_the_app_off_the_site_lets_its_step_run_again():
	steps = [Step("apps", "The app", lambda: None), Step("site", "The site", lambda: None)]
	run(steps)

	forget_undone_steps(["--site", paths.SITE, "uninstall-app", paths.APP, "--yes"])

	assert run(steps) == ["apps"]
