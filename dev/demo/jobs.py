"""The daily job and its delivery, at a simulated time: in this process, or in two others at once.

`python -m dev.demo.jobs` is one of the two: it reads from its standard input when to do what, and answers in a line.
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

AT_ONCE = 2


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
		# In sessions of their own: Ctrl-C is for us, and we end them
		options = {
			"stdin": subprocess.PIPE,
			"stdout": subprocess.PIPE,
			"text": True,
			"start_new_session": True,
		}
		self.processes = [
			subprocess.Popen(command, env=paths.environment(), **options) for _ in range(AT_ONCE)
		]

	def run_daily_job(self, now: datetime, url: str) -> list[Ran]:
		"""Let both run the job at once, then both deliver at once, and return what each did."""
		self._ask(url)  # both are connected before either begins
		queued = self._ask(now.isoformat())
		accepted = self._ask("deliver")
		return [Ran(int(one), int(other)) for one, other in zip(queued, accepted, strict=True)]

	def stop(self) -> None:
		"""End what has not ended by itself."""
		for process in self.processes:
			process.kill()
			process.communicate()

	def _ask(self, line: str) -> list[str]:
		"""Tell both the same, then wait for their answers; raise RuntimeError if one has none."""
		for process in self.processes:
			process.stdin.write(f"{line}\n")
			process.stdin.flush()
		answers = [process.stdout.readline().strip() for process in self.processes]
		if not all(answers):
			raise RuntimeError("One of the two processes that run the daily job has failed.")
		return answers


@contextmanager
def pair_waiting() -> Iterator[Pair]:
	"""Have two processes ready for a `with` block. They start while other things do: that takes them seconds."""
	pair = Pair()
	try:
		yield pair
	finally:
		pair.stop()


def main() -> None:
	"""Be one of the pair: connect, run the daily job and deliver, each when told to."""
	with connected(_hear()):
		_say("connected")
		now = datetime.fromisoformat(_hear())
		_say(daily.run(now, enqueue_delivery=False))
		_hear()
		_say(delivery.deliver(lambda: now))


def _hear() -> str:
	line = sys.stdin.readline()
	return line.strip() if line else sys.exit(1)


def _say(answer: object) -> None:
	print(answer, flush=True)


if __name__ == "__main__":
	main()
