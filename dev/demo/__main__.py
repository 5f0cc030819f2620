"""`make demo`, once the site is there. Exits with 0 only if the mail server received what the database has."""

from __future__ import annotations

import fcntl
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dev import paths, shell


def main() -> int:
	"""Run the demo, and end the servers that it started however it ends."""
	signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
	try:
		with lock_folder():
			from dev.demo.run import run  # takes seconds, and Ctrl-C may come in them

			return run()
	except KeyboardInterrupt:
		print("\nStopped, with everything that it started. `make demo` starts over.", file=sys.stderr)
		return 130
	except shell.StepError as error:
		print(error.report(), file=sys.stderr)
		return 1


@contextmanager
def lock_folder() -> Iterator[None]:
	"""Allow one demo at a time in this folder."""
	paths.RUN.mkdir(parents=True, exist_ok=True)
	with (paths.RUN / "demo.lock").open("a+") as lock:
		try:
			fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			raise shell.StepError("Another demo runs in this folder", "Wait until it ends.") from None
		yield


if __name__ == "__main__":
	sys.exit(main())
