"""What a bench is given to run the tests: their packages, and never another copy of the app."""

import subprocess
import sys

import pytest

from dev import paths, testing


def test_extra_for_the_tests_is_read_as_pip_reads_it():
	wanted = testing.read_test_extra((paths.ROOT / "pyproject.toml").read_text())

	assert {name.partition(">")[0] for name in wanted} == {
		"aiosmtpd",
		"hypothesis",
		"playwright",
		"pytest",
		"rich",
	}


def test_bench_that_has_what_the_tests_need_is_left_alone(monkeypatch):
	ran = []
	monkeypatch.setattr(testing.shell, "run", lambda command, **options: ran.append(command))

	testing.install_test_extra(sys.executable)

	assert not ran


def test_bench_is_given_the_packages_and_not_the_app(monkeypatch):
	ran = []
	monkeypatch.setattr(testing.shell, "run", lambda command, **options: ran.append(command))
	monkeypatch.setattr(subprocess, "run", lambda *args, **options: subprocess.CompletedProcess(args, 1))

	testing.install_test_extra("python")

	assert ran[0][:4] == ["python", "-m", "pip", "install"]
	assert not [word for word in ran[0] if str(paths.ROOT) in word]


@pytest.mark.parametrize(
	("arguments", "without_site"),
	[
		(["tests/core"], True),
		(["tests/core/test_flow.py::test_x", "tests/dev", "-k", "name"], True),
		(["tests/core", "tests/integration"], False),
		(["tests"], False),
		(["-k", "name"], False),
		([], False),
	],
)
def test_only_tests_that_are_named_run_without_a_site(arguments, without_site):
	assert testing.need_no_site(arguments) is without_site


def test_run_of_all_tests_tries_all_examples(monkeypatch):
	depths = []
	monkeypatch.setattr(
		testing,
		"run_side_by_side",
		lambda here, beside, cwd, *envs: depths.extend(env["DRIP_HYPOTHESIS"] for env in envs),
	)

	testing.run_pytest(paths.PYTHON, [])
	testing.run_on_both()

	assert depths == ["full"] * 4


def test_closing_lines_of_both_runs_come_last(capfd):
	def program(text: str, code: int) -> list[str]:
		return [sys.executable, "-c", f"print({text!r}); raise SystemExit({code})"]

	code = testing.run_side_by_side(
		program("one\n=== 1 passed ===", 0), program("two\n=== 2 failed ===", 1), paths.ROOT, {}, {}
	)

	assert code == 1
	assert capfd.readouterr().out.splitlines()[-2:] == ["=== 1 passed ===", "=== 2 failed ==="]


def test_tests_without_a_site_need_packages_but_build_no_site(monkeypatch):
	made = []
	monkeypatch.setattr(testing, "can_import", lambda *_arguments: False)
	monkeypatch.setattr(testing.site, "make_packages", lambda: made.append("packages"))
	monkeypatch.setattr(testing.site, "make_site", lambda **_options: made.append("site"))
	monkeypatch.setattr(testing, "run_pytest", lambda *_arguments, **_options: 0)

	testing.run_tests(["tests/core"])

	assert made == ["packages"]
