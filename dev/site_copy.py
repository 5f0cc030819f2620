"""A copy of the site with its own servers, for the tests that run in parallel with those on the site."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from dev import paths, processes, services


def make() -> bool:
	"""Copy the site and its database; return False if its servers run, because their files would change."""
	if any(processes.find(name) for name in services.NAMES):
		return False
	stop()
	shutil.rmtree(paths.SITE_COPY, ignore_errors=True)
	shutil.copytree(paths.MARIADB, paths.SITE_COPY / paths.MARIADB.name)
	shutil.copytree(paths.SITES, paths.SITE_COPY / paths.SITES.name, symlinks=True)
	return True


def command(*words: str) -> list[str]:
	"""Return a command of dev/ that acts on the copy where its environment is `environment()`."""
	return [sys.executable, "-B", "-m", "dev", *words]


def environment() -> dict[str, str]:
	"""Return the environment of a process that acts on the copy."""
	return {**os.environ, "DRIP_SITE_COPY": "1"}


def stop() -> None:
	"""Stop the copy's servers, in case a killed test run left them."""
	if paths.SITE_COPY.exists() and not paths.IS_SITE_COPY:
		run(command("stop"))


def run(words: Sequence[str]) -> None:
	subprocess.run(words, cwd=paths.ROOT, env=environment(), capture_output=True, check=False)
