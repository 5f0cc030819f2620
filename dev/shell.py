"""Run other programs with their output in a log, and report failures with what to do."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from dev import paths


class StepError(Exception):
	"""A step failed. The message says what happened, `remedy` what to do, and `log` what the program printed last."""

	def __init__(self, message: str, remedy: str, log: str = "") -> None:
		super().__init__(message)
		self.remedy = remedy
		self.log = log

	def report(self) -> str:
		"""Return what the person reads: one line, or the last lines of the log between the cause and the remedy."""
		cause = str(self).rstrip(".")
		if not self.log:
			return f"{cause}. {self.remedy}"
		return f"{cause}. The log ends with:\n{textwrap.indent(self.log, '    ')}\n{self.remedy}"


# One file per program that run() has started and that has not ended
COMMANDS = paths.RUN / "commands"
# Programs started by run() that have not ended, so that a failing step can end the parallel ones
_running: set[subprocess.Popen] = set()
_running_lock = threading.Lock()


def run(
	command: Sequence[str | Path],
	*,
	log: str,
	remedy: str,
	cwd: Path = paths.ROOT,
	env: Mapping[str, str] | None = None,
	stdin: str | None = None,
) -> None:
	"""Run a program to its end with its output in `.dev/logs/<log>.log`; raise StepError if it fails.

	`remedy` completes the error: the command and the log are named already.
	"""
	paths.LOGS.mkdir(parents=True, exist_ok=True)
	log_file = paths.LOGS / f"{log}.log"
	words = [str(word) for word in command]
	with log_file.open("a") as output:
		output.write(f"\n$ {' '.join(words)}\n")
		output.flush()
		code = _wait_for(words, output, cwd, env, stdin)
	if code:
		raise StepError(
			f"`{shorten(words)}` failed ({describe_exit(code)}); its log is {paths.shown(log_file)}",
			remedy,
			read_end(log_file),
		)


def _wait_for(
	words: Sequence[str], output: object, cwd: Path, env: Mapping[str, str] | None, stdin: str | None
) -> int:
	process = subprocess.Popen(
		words,
		cwd=cwd,
		env=dict(env or os.environ),
		stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
		stdout=output,
		stderr=subprocess.STDOUT,
		text=True,
		start_new_session=True,
	)
	note = _note(process.pid)
	with _running_lock:
		_running.add(process)
	try:
		process.communicate(stdin)
		return process.returncode
	except BaseException:
		end_group(process.pid)
		raise
	finally:
		note.unlink(missing_ok=True)
		with _running_lock:
			_running.discard(process)


def _note(pid: int) -> Path:
	"""Record a running program and its parent, in case the parent is killed first."""
	COMMANDS.mkdir(parents=True, exist_ok=True)
	note = COMMANDS / str(pid)
	note.write_text(f"{birth(pid)} {os.getpid()} {birth(os.getpid())}")
	return note


@contextmanager
def hold_lock(file: Path, on_busy: Callable[[], None] = lambda: None) -> Iterator[None]:
	"""Hold the lock of a file during a `with` block. If another process has it, call `on_busy` and wait."""
	file.parent.mkdir(parents=True, exist_ok=True)
	with file.open("a") as lock:
		try:
			fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			on_busy()
			fcntl.flock(lock, fcntl.LOCK_EX)
		yield


def machine_lock(name: str) -> AbstractContextManager[None]:
	"""Return a lock that all folders of this user share, for work that two set-ups must not do at the same time."""
	return hold_lock(Path(tempfile.gettempdir()) / f"drip-campaigns-{os.getuid()}-{name}.lock")


def end_orphans() -> None:
	"""End the programs of a killed set-up, which would write to the same files as a new one."""
	for note in COMMANDS.glob("*"):
		born, parent, parent_born = note.read_text().split()
		if str(birth(int(parent))) == parent_born:
			continue
		while str(birth(int(note.name))) == born:
			end_group(int(note.name))
			time.sleep(0.2)
		note.unlink(missing_ok=True)


def end_running() -> None:
	"""End what run() has started and not finished, after a failed step or Ctrl-C."""
	with _running_lock:
		processes = list(_running)
	for process in processes:
		end_group(process.pid)


def birth(pid: int) -> int | None:
	"""Return when a process was started (clock ticks since boot), or None if it has ended.

	Together with the id it identifies a process, because ids are reused.
	"""
	try:
		fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
	except OSError:
		return None
	return None if fields[0] == "Z" else int(fields[19])


def end_group(group: int) -> None:
	"""Ask a process group to end; a group that has ended is not an error."""
	try:
		os.killpg(group, signal.SIGTERM)
	except ProcessLookupError:
		return


def shorten(words: Sequence[str], length: int = 80) -> str:
	"""Return a command as a message shows it: paths inside the project relative, the tail of a long one cut."""
	text = " ".join(word.replace(f"{paths.ROOT}/", "") for word in words)
	return text if len(text) <= length else f"{text[: length - 3]}..."


def read_end(log_file: Path, most: int = 15) -> str:
	"""Return the last lines that the last command in a log printed, without the empty ones."""
	printed = log_file.read_text(errors="replace").rpartition("\n$ ")[2].splitlines()
	return "\n".join([line for line in printed if line.strip()][1:][-most:])


def describe_exit(code: int) -> str:
	return f"exit code {code}" if code > 0 else f"ended by {signal.Signals(-code).name}"
