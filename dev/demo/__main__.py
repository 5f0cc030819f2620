"""`make demo`, once the site is there. Exit code 0 only if what the mail server received is what the database says."""

from __future__ import annotations

import fcntl
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dev import paths, shell


def main() -> int:
	"""Run the demo; whatever ends it, the servers it has started are ended too."""
	signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
	try:
		with only_one():
			from dev.demo.run import run  # takes seconds, and Ctrl-C may come in them

			return run()
	except KeyboardInterrupt:
		print("\nStopped; nothing is left running. `make demo` begins anew.", file=sys.stderr)
		return 130
	except shell.StepError as error:
		print(error.report(), file=sys.stderr)
		return 1


@contextmanager
def only_one() -> Iterator[None]:
	"""Let one demo at a time run in this folder."""
	paths.RUN.mkdir(parents=True, exist_ok=True)
	with (paths.RUN / "demo.lock").open("a+") as lock:
		try:
			fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			raise shell.StepError("Another demo runs in this folder", "Wait until it has ended.") from None
		yield


if __name__ == "__main__":
	sys.exit(main())
