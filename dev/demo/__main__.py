"""`make demo`, once the site is there. Exits with 0 only if the mail server received what the database has."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

from dev import paths, shell


def main() -> int:
	"""Run the demo, and end the servers that it started however it ends."""
	signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
	try:
		with shell.hold_lock(paths.RUN / "demo.lock", refuse_second):
			from dev.demo.run import run  # takes seconds, and Ctrl-C may come in them

			return run()
	except KeyboardInterrupt:
		print("\nStopped, with everything that it started. `make demo` starts over.", file=sys.stderr)
		return 130
	except shell.StepError as error:
		print(error.report(), file=sys.stderr)
		return 1


def refuse_second() -> NoReturn:
	raise shell.StepError("Another demo runs in this folder", "Wait until it ends.")


if __name__ == "__main__":
	sys.exit(main())
