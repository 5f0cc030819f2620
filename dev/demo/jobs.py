"""The daily job and its delivery at a simulated time: in this process, or in two others in parallel.

`python -m dev.demo.jobs` is one of the two: it reads from its standard input what to do and when, and replies with a line.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from dev import paths
from dev.demo.connection import connected
from drip_campaigns.jobs import daily
from drip_campaigns.jobs import deliver as delivery

PROCESSES = 2


@dataclass(frozen=True)
class Ran:
	"""What one run did: how many emails it queued, and how many the mail server accepted from it."""

	queued: int
	accepted: int


def run_daily_job(now: datetime) -> Ran:
	"""Do what the scheduler and a worker do once a day."""
	return Ran(daily.run(now, enqueue_delivery=False), delivery.deliver(lambda: now))


class Pair:
	"""Two processes that can run the daily job at the same moment."""

	def __init__(self) -> None:
		command = [sys.executable, "-m", "dev.demo.jobs"]
		# In their own sessions: this process handles Ctrl-C and ends them
		options = {
			"stdin": subprocess.PIPE,
			"stdout": subprocess.PIPE,
			"text": True,
			"start_new_session": True,
		}
		self.processes = [
			subprocess.Popen(command, env=paths.environment(), **options) for _ in range(PROCESSES)
		]

	def run_daily_job(self, now: datetime, url: str) -> list[Ran]:
		"""Run the job in both in parallel, then deliver in both in parallel; return what each did."""
		self._ask(url)  # both are connected before one starts
		queued = self._ask(now.isoformat())
		accepted = self._ask("deliver")
		return [Ran(int(one), int(other)) for one, other in zip(queued, accepted, strict=True)]

	def stop(self) -> None:
		"""End both processes."""
		for process in self.processes:
			process.kill()
			process.communicate()

	def _ask(self, line: str) -> list[str]:
		"""Send a line to both and return their replies; raise RuntimeError if one fails."""
		for process in self.processes:
			process.stdin.write(f"{line}\n")
			process.stdin.flush()
		answers = [process.stdout.readline().strip() for process in self.processes]
		if not all(answers):
			raise RuntimeError("One of the two processes that run the daily job has failed.")
		return answers


@contextmanager
def start_pair() -> Iterator[Pair]:
	"""Have two processes ready for a `with` block. They take seconds to start, in parallel with other work."""
	pair = Pair()
	try:
		yield pair
	finally:
		pair.stop()


def main() -> None:
	"""Run as one of the pair: connect, run the daily job, and deliver, each on a line of input."""
	with connected(_read_line()):
		_reply("connected")
		now = datetime.fromisoformat(_read_line())
		_reply(daily.run(now, enqueue_delivery=False))
		_read_line()
		_reply(delivery.deliver(lambda: now))


def _read_line() -> str:
	line = sys.stdin.readline()
	return line.strip() if line else sys.exit(1)


def _reply(answer: object) -> None:
	print(answer, flush=True)


if __name__ == "__main__":
	main()
