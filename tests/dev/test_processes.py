"""Processes are found again, stopped for good, and never mistaken for another one."""

import json
import socket
import sys

import pytest

from dev import paths, processes
from dev.shell import StepError, run

FOREVER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
	for name in ("RUN", "LOGS"):
		monkeypatch.setattr(paths, name, tmp_path)
	monkeypatch.setattr("dev.shell.COMMANDS", tmp_path / "commands")


def test_a_started_process_is_found_and_stopped_once():
	process = processes.start("sleeper", FOREVER)

	assert processes.find("sleeper") == process
	assert processes.stop("sleeper") is True
	assert processes.find("sleeper") is None
	assert processes.stop("sleeper") is False


def test_a_later_process_with_the_same_id_is_left_alone():
	process = processes.start("sleeper", FOREVER)
	file = processes.run_file("sleeper")
	recorded = file.read_text()
	file.write_text(json.dumps({**json.loads(recorded), "born": process.born - 1}))

	assert processes.stop("sleeper") is False
	assert process.is_alive()

	file.write_text(recorded)
	processes.stop("sleeper")


def test_a_process_that_ends_during_its_start_is_reported_with_the_end_of_its_log():
	process = processes.start("broken", [sys.executable, "-c", "raise SystemExit('no such table')"])

	with pytest.raises(StepError) as error:
		processes.wait_until(process, lambda: False, seconds=20)

	assert "no such table" in error.value.report()
	assert "broken.log" in error.value.report()


def test_a_taken_port_is_passed_over():
	with socket.socket() as taken:
		taken.bind((processes.LOOPBACK, 0))
		taken.listen()
		port = taken.getsockname()[1]

		assert not processes.is_free(port)
		assert processes.free_port(port) != port


def test_a_failing_command_is_reported_with_the_last_lines_of_its_log_and_the_remedy():
	run([sys.executable, "-c", "print('an earlier command')"], log="step", remedy="")
	command = [sys.executable, "-c", "[print(n) for n in range(30)]; exit('no space left')"]

	with pytest.raises(StepError) as error:
		run(command, log="step", remedy="Free some space.")

	first, *log, last = error.value.report().splitlines()
	for part in ("-c", "exit code 1", "step.log"):
		assert part in first
	assert [line.strip() for line in log] == [*map(str, range(16, 30)), "no space left"]
	assert last == "Free some space."


def test_a_failing_command_that_prints_nothing_is_one_line():
	with pytest.raises(StepError) as error:
		run([sys.executable, "-c", "exit(3)"], log="step", remedy="Free some space.")

	assert error.value.report().endswith("its log is " + str(paths.LOGS / "step.log") + ". Free some space.")
