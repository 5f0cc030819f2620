"""`python3 -m dev COMMAND`, which the Makefile calls: every command ends in success or with what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable

from dev import serve, shell, site, testing

COMMANDS: dict[str, Callable[[list[str]], int | None]] = {
	"site": lambda arguments: site.make_site(),
	"start": serve.start,
	"stop": lambda arguments: serve.stop(),
	"clean": lambda arguments: serve.clean(),
	"test": testing.run_tests,
	"fuzz": testing.run_fuzz,
	"demo": testing.run_demo,
	"bench": testing.run_benchmark("benchmarks.bench"),
	"chaos": testing.run_benchmark("benchmarks.chaos"),
	"lint": testing.lint,
	"format": testing.format_code,
}


def main(arguments: list[str]) -> int:
	"""Run one command and return its exit code."""
	if not arguments or arguments[0] not in COMMANDS:
		print(f"usage: python3 -m dev {'|'.join(COMMANDS)}", file=sys.stderr)
		return 2
	try:
		return COMMANDS[arguments[0]](arguments[1:]) or 0
	except shell.StepError as error:
		print(error.report(), file=sys.stderr)
		return 1
	except KeyboardInterrupt:
		print("Interrupted. The next run continues where this one stopped.", file=sys.stderr)
		return 130


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
