"""The system's programs: the Debian package of each, and how missing ones are installed."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from dev import shell

SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))

# Exists where systemd starts services
SYSTEMD = Path("/run/systemd/system")

# program -> Debian package. The "-core" packages have the programs without a system-wide service.
SERVERS = {
	"mariadbd": "mariadb-server-core",
	"mariadb-install-db": "mariadb-server-core",
	"mariadb": "mariadb-client-core",
	"redis-server": "redis-server",
}
# What compiling the database driver needs
COMPILER = {"gcc": "gcc", "pkg-config": "pkg-config", "mariadb_config": "libmariadb-dev"}
NODE = {"node": "nodejs", "npm": "npm"}
BROWSER = {"chromium": "chromium"}
# A mail server that tests read by IMAP
MAILBOX = {"dovecot": "dovecot-imapd"}


def find(program: str) -> str | None:
	"""Return the path of a program; servers are in sbin, which not every PATH includes."""
	return shutil.which(program, path=SEARCH_PATH)


def missing(programs: Mapping[str, str]) -> list[str]:
	"""Return the Debian packages of the programs that are not there."""
	return sorted({package for program, package in programs.items() if not find(program)})


def missing_python_parts() -> list[str]:
	"""Return the Debian packages that this Python lacks: Debian splits off venv and the C headers."""
	absent = []
	if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
		absent.append("python3-dev")
	try:
		import ensurepip  # noqa: F401  (asked only whether it is there)
	except ImportError:
		absent.append("python3-venv")
	return absent


def install(packages: list[str], log: str) -> None:
	"""Install Debian packages, if any. Raises StepError with the command for root, or for another system."""
	if not packages:
		return
	names = " ".join(packages)
	if not shutil.which("apt-get"):
		raise shell.StepError(
			f"These programs are missing, and this system has no apt-get: {names}",
			"Install them with your system's package manager, then run the command again.",
		)
	if os.geteuid() != 0:
		raise shell.StepError(
			"Programs are missing and only root may install them",
			f"Run `sudo apt-get install --no-install-recommends {names}`, then run the command again.",
		)
	with shell.machine_lock("apt"):  # `apt-get update` does not wait for another one
		_install_with_apt(packages, log)


def _install_with_apt(packages: list[str], log: str) -> None:
	names = " ".join(packages)
	environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
	remedy = f"Check the network, try `apt-get install {names}` by hand, then run the command again."
	if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
		shell.run(["apt-get", "update"], log=log, remedy=remedy, env=environment)
	apt = [
		"apt-get",
		"install",
		"--yes",
		"--no-install-recommends",
		"-o",
		"DPkg::Lock::Timeout=300",
		*packages,
	]
	try:
		shell.run(apt, log=log, remedy=remedy, env=environment)
	except shell.StepError:
		# An old package list names versions that are gone: once more with a new one
		shell.run(["apt-get", "update"], log=log, remedy=remedy, env=environment)
		shell.run(apt, log=log, remedy=remedy, env=environment)


def install_if_harmless(packages: list[str], log: str) -> None:
	"""Install packages that would start a network service, unless systemd would start it; otherwise print what is missing.

	Without them some tests are skipped, and everything else works.
	"""
	if not packages:
		return
	names = " ".join(packages)
	if SYSTEMD.exists():
		print(
			f"  not installed, because it would start as a service: {names}. Some tests are skipped.",
			flush=True,
		)
		return
	try:
		install(packages, log)
	except shell.StepError as error:
		print(f"  {error.report()} Until then some tests are skipped.", flush=True)


def check_python() -> None:
	if sys.version_info < (3, 10):  # noqa: UP036  (this runs before any check of the project's metadata)
		raise shell.StepError(
			f"Python {sys.version_info.major}.{sys.version_info.minor} is too old: 3.10 is needed",
			"Name a newer one: make PYTHON=python3.11 site",
		)
