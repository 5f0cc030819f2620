"""The two environments of the site: Python packages in `.dev/venv`, Node packages in `.dev/node`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from dev import packages, paths, shell
from dev.runtime import build
from dev.steps import file_fingerprint

ONLINE = "Check that this machine reaches its package registries (the first set-up needs the network), then"
AGAIN = f"{ONLINE} run the command again: it continues where it stopped."

RUNTIME_REQUIREMENTS = paths.DEV / "runtime" / "requirements.txt"
TOOLS = paths.DEV / "requirements.txt"
DRIVER = "mysqlclient"
NODE_MANIFEST = paths.DEV / "package.json"
BOUNCE_PIN = paths.DEV / "bounce_samples.txt"
BOUNCE_SAMPLES = paths.CACHE / "bounces"


def python_fingerprint() -> str:
	"""Return which Python this is: the same inside a virtual environment and outside of it."""
	return f"{sys.version} {sys.base_prefix}"


def requirements_fingerprint() -> str:
	return file_fingerprint(RUNTIME_REQUIREMENTS)


def pip(*arguments: str | Path, log: str, remedy: str = AGAIN) -> None:
	"""Run pip in the virtual environment. Not compiling the packages halves the time; Python does it on import."""
	shell.run(
		[paths.PYTHON, "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", *arguments],
		log=log,
		remedy=remedy,
		env=paths.environment(),
	)


def create_venv() -> None:
	"""Create the virtual environment, and remove one of another Python or an unfinished one first."""
	absent = packages.missing_python_parts()
	packages.install(absent, log="apt")
	shutil.rmtree(paths.VENV, ignore_errors=True)
	shell.run(
		[sys.executable, "-m", "venv", paths.VENV],
		log="venv",
		remedy="Install Python's module venv, or name another Python: make PYTHON=python3.11 site",
	)


def install_runtime_packages() -> None:
	"""Install what Frappe imports, except the database driver: that one waits for the compiler."""
	listed = RUNTIME_REQUIREMENTS.read_text().splitlines()
	wanted = paths.CACHE / "requirements.txt"
	wanted.parent.mkdir(parents=True, exist_ok=True)
	wanted.write_text("\n".join(line for line in listed if not line.startswith(DRIVER)) + "\n")
	pip("--no-deps", "-r", wanted, log="pip")


def install_driver() -> None:
	"""Compile and install the database driver, for which the registry has no ready-made package."""
	listed = RUNTIME_REQUIREMENTS.read_text().splitlines()
	pinned = next(line for line in listed if line.startswith(DRIVER))
	pip(
		"--no-deps",
		pinned,
		log="pip-driver",
		remedy="pip compiles it here. Install the header or program that the log names, then run the command again.",
	)


def fetch_runtime() -> Path:
	"""Return the pinned wheel of the runtime, downloading it once; pip refuses any other content."""
	wheel = paths.CACHE / build.WHEEL
	if not wheel.exists():
		draft = paths.CACHE / "download"
		shell.run(
			[
				*(paths.PYTHON, "-m", "pip", "download", "--disable-pip-version-check"),
				*("--no-deps", "--require-hashes", "-r", build.PIN, "--dest", draft),
			],
			log="runtime",
			remedy=AGAIN,
			env=paths.environment(),
		)
		(draft / build.WHEEL).replace(wheel)
	return wheel


def build_runtime() -> None:
	"""Put the package `frappe` into the virtual environment."""
	build.build(fetch_runtime(), paths.site_packages())


def runtime_present() -> bool:
	return any(paths.VENV.glob("lib/python3*/site-packages/frappe/__init__.py"))


def bounces_fingerprint() -> str:
	return file_fingerprint(BOUNCE_PIN)


def bounces_present() -> bool:
	return any(BOUNCE_SAMPLES.glob("*.tar.gz"))


def fetch_bounce_samples() -> None:
	"""Fetch the source distribution of flufl.bounce: over a hundred real bounces for the tests. Wheels do not include them."""
	shell.run(
		[
			*(paths.PYTHON, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps"),
			*("--no-binary", ":all:", "--require-hashes", "-r", BOUNCE_PIN, "--dest", BOUNCE_SAMPLES),
			"--ignore-requires-python",
		],
		log="bounces",
		remedy=AGAIN,
		env=paths.environment(),
	)


def app_fingerprint() -> str:
	return file_fingerprint(paths.ROOT / "pyproject.toml", TOOLS)


def install_app_package() -> None:
	"""Install the app editable, with its own and its tests' requirements, and the tools of the site.

	The runtime's pins are given as constraints: nothing the app asks for may change what Frappe runs on.
	"""
	pip("-c", RUNTIME_REQUIREMENTS, "-r", TOOLS, "-e", f"{paths.ROOT}[test]", log="pip-app")


def node_fingerprint() -> str:
	return file_fingerprint(NODE_MANIFEST)


def install_node_packages() -> None:
	"""Install the packages that Desk is built from, and the mail catcher. No package runs its install script."""
	paths.NODE.mkdir(parents=True, exist_ok=True)
	shutil.copy(NODE_MANIFEST, paths.NODE / "package.json")
	npm = packages.find("npm")
	if not npm:
		raise shell.StepError(
			"The program npm is not installed", "Run `make site` where apt-get can install it."
		)
	options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
	shell.run([npm, "install", *options], log="npm", remedy=AGAIN, cwd=paths.NODE)


def python_runs() -> bool:
	"""Return whether the virtual environment's Python still starts, also after an upgrade of the system's."""
	try:
		return subprocess.run([paths.PYTHON, "-c", ""], timeout=30, check=False).returncode == 0
	except (OSError, subprocess.TimeoutExpired):
		return False
