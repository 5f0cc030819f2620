"""`dev/frappe`: see that site and services are there, then hand the command to the site's own Python."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from dev import paths, services, shell, steps


def main(arguments: list[str]) -> NoReturn:
	"""Replace this process by the command, so that Ctrl-C, pipes and exit codes are the command's own.

	Services that were not running are started and stay up, so that the next command is quick; `make stop` ends
	them.
	"""
	try:
		if not paths.SITE_CONFIG.exists():
			raise shell.StepError("The site does not exist yet", "Run `make site` first.")
		services.start_all()
	except shell.StepError as error:
		print(error.report(), file=sys.stderr)
		sys.exit(1)
	forget_undone_steps(arguments)
	os.chdir(paths.SITES)
	command = [str(paths.PYTHON), "-m", "dev.inside.commands", *arguments]
	os.execve(paths.PYTHON, command, paths.environment())


def forget_undone_steps(arguments: list[str]) -> None:
	"""Make the next `make site` install the app again after a command that uninstalls it."""
	if "uninstall-app" in arguments:
		steps.stamp_path("apps").unlink(missing_ok=True)


if __name__ == "__main__":
	main(sys.argv[1:])
