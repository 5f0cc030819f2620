"""Long-running processes: started apart from the terminal, found again by a file in `.dev/run`, stopped by id."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dev import paths
from dev.shell import StepError, birth, read_end

STOP_TIMEOUT_SECONDS = 30
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Process:
	"""A started process; `born` distinguishes it from a later one with the same id."""

	name: str
	pid: int
	born: int
	port: int | None = None

	def is_alive(self) -> bool:
		return birth(self.pid) == self.born


def run_file(name: str) -> Path:
	return paths.RUN / f"{name}.json"


def log_file(name: str) -> Path:
	return paths.LOGS / f"{name}.log"


def find(name: str) -> Process | None:
	"""Return the running process of that name, or None; the file of a dead one is removed."""
	file = run_file(name)
	try:
		process = Process(**json.loads(file.read_text()))
	except (OSError, ValueError, TypeError):
		return None
	if process.is_alive():
		return process
	file.unlink(missing_ok=True)
	return None


def start(
	name: str,
	command: Sequence[str | Path],
	*,
	port: int | None = None,
	cwd: Path = paths.ROOT,
	env: Mapping[str, str] | None = None,
) -> Process:
	"""Start a process in its own session, with its output in `.dev/logs/<name>.log`, and note it in `.dev/run`."""
	paths.RUN.mkdir(parents=True, exist_ok=True)
	paths.LOGS.mkdir(parents=True, exist_ok=True)
	words = [str(word) for word in command]
	with log_file(name).open("a") as log:
		log.write(f"\n$ {' '.join(words)}\n")
		log.flush()
		child = subprocess.Popen(
			words,
			cwd=cwd,
			env=dict(env or os.environ),
			stdin=subprocess.DEVNULL,
			stdout=log,
			stderr=subprocess.STDOUT,
			start_new_session=True,
		)
	process = Process(name, child.pid, birth(child.pid) or 0, port)
	run_file(name).write_text(json.dumps(asdict(process)))
	return process


def wait_until(process: Process, ready: Callable[[], bool], seconds: float) -> None:
	"""Wait until a started process is ready; raise StepError with the end of its log if it ends or takes too long."""
	log = log_file(process.name)
	remedy = f"Fix what {paths.shown(log)} reports, then run the command again."
	deadline = time.monotonic() + seconds
	while time.monotonic() < deadline:
		if not process.is_alive():
			run_file(process.name).unlink(missing_ok=True)
			raise StepError(f"{process.name} ended during its start", remedy, read_end(log))
		if ready():
			return
		time.sleep(0.05)
	stop(process.name)
	raise StepError(f"{process.name} was not ready after {seconds:.0f} seconds", remedy, read_end(log))


def stop(name: str) -> bool:
	"""End a process and its children, and return whether it was running. Kill it if it does not end in time."""
	process = find(name)
	if not process:
		return False
	signal_group(process.pid, signal.SIGTERM)
	deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
	while process.is_alive() and time.monotonic() < deadline:
		reap(process.pid)
		time.sleep(0.05)
	if process.is_alive():
		signal_group(process.pid, signal.SIGKILL)
	run_file(name).unlink(missing_ok=True)
	return True


def signal_group(group: int, number: int) -> None:
	"""Signal a process group that start() made; a group that has ended is not an error."""
	try:
		os.killpg(group, number)
	except ProcessLookupError:
		return


def reap(pid: int) -> None:
	"""Collect a child that has ended; a process of an earlier command is not a child of this one."""
	try:
		os.waitpid(pid, os.WNOHANG)
	except ChildProcessError:
		return


def is_free(port: int) -> bool:
	"""Return whether a server can listen on this port of the loopback address."""
	with socket.socket() as probe:
		probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		try:
			probe.bind((LOOPBACK, port))
		except OSError:
			return False
	return True


def is_listening(port: int) -> bool:
	with socket.socket() as probe:
		probe.settimeout(1)
		return probe.connect_ex((LOOPBACK, port)) == 0


def free_port(preferred: int | None = None) -> int:
	"""Return the preferred port if it is free, otherwise any free one."""
	if preferred and is_free(preferred):
		return preferred
	with socket.socket() as probe:
		probe.bind((LOOPBACK, 0))
		return probe.getsockname()[1]
