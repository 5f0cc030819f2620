"""Start and stop the SMTP sink, change its behavior, and read what it has accepted."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.smtp_sink import Behavior

ANSWERED, UNANSWERED_REFUSED = "A", "N"
ROOT = Path(__file__).resolve().parent.parent


class Message(NamedTuple):
	"""One line of the sink's file: a message whose text the server has received in full."""

	kind: str
	recipient: str
	subject: str
	message_id: str


@dataclass
class SmtpObserver:
	"""A running sink; use it as a context manager."""

	pipelining: bool = True
	seed: int = 1

	def __enter__(self) -> "SmtpObserver":
		handle, path = tempfile.mkstemp(prefix="drip-observer-")
		os.close(handle)
		self.file, self._since = Path(path), 0
		environment = {**os.environ, "PYTHONPATH": str(ROOT)}
		command = [
			sys.executable,
			"-m",
			"benchmarks.smtp_sink",
			path,
			str(self.seed),
			str(int(self.pipelining)),
		]
		self._process = subprocess.Popen(
			command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
		)
		self.port = int(self._process.stdout.readline())
		return self

	def __exit__(self, *_error: object) -> None:
		self._process.stdin.close()
		self._process.wait(timeout=10)
		self._process.stdout.close()
		self.file.unlink()

	def set_behavior(self, behavior: Behavior) -> None:
		"""Change how the sink behaves, from the next message on."""
		self._process.stdin.write(behavior.dump() + "\n")
		self._process.stdin.flush()
		self._process.stdout.readline()

	def forget(self) -> None:
		"""Ignore the messages accepted until now: they belong to an earlier run."""
		self._since = self.file.stat().st_size

	def read(self) -> list[Message]:
		"""Return the messages received since the last `forget`, in order."""
		with self.file.open() as stream:
			stream.seek(self._since)
			return [Message(*line.rstrip("\n").split("\t")) for line in stream]

	def count(self) -> Counter[tuple[str, str]]:
		"""Return how often the server accepted each subject for each recipient."""
		return Counter((m.recipient, m.subject) for m in self.read() if m.kind != UNANSWERED_REFUSED)

	def count_unanswered(self) -> int:
		"""Return the number of messages that the server never answered, whose outcome no sender can know."""
		return sum(message.kind != ANSWERED for message in self.read())
