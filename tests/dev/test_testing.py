"""What a bench is given to run the tests: their packages, and never another copy of the app."""

import subprocess
import sys

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
