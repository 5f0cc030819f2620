"""A copy of the site with servers of its own, on which a part of the tests runs while the rest runs on the site."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from dev import paths, processes, services


def make() -> bool:
	"""Copy the site and its database; False where its servers are up, whose files change while they are copied."""
	if any(processes.find(name) for name in services.NAMES):
		return False
	stop()
	shutil.rmtree(paths.TWIN, ignore_errors=True)
	shutil.copytree(paths.MARIADB, paths.TWIN / paths.MARIADB.name)
	shutil.copytree(paths.SITES, paths.TWIN / paths.SITES.name, symlinks=True)
	return True


def command(*words: str) -> list[str]:
	"""Return a command of dev/ that acts on the copy where its environment is `environment()`."""
	return [sys.executable, "-B", "-m", "dev", *words]


def environment() -> dict[str, str]:
	"""Return the environment of a process that acts on the copy."""
	return {**os.environ, "DRIP_TWIN": "1"}


def stop() -> None:
	"""Stop the copy's servers, should somebody have ended their tests by force."""
	if paths.TWIN.exists() and not paths.IS_TWIN:
		run(command("stop"))


def run(words: Sequence[str]) -> None:
	subprocess.run(words, cwd=paths.ROOT, env=environment(), capture_output=True, check=False)
