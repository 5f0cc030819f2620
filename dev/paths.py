"""Where things lie: every path of the dev site, and the environment its processes get."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / "dev"
APP = "drip_campaigns"
SITE = "drip.localhost"

STATE = ROOT / ".dev"
TWIN = STATE / "twin"  # a copy of the site with servers of its own: see dev/twin.py
IS_TWIN = os.environ.get("DRIP_TWIN") == "1"
LIVING = TWIN if IS_TWIN else STATE
VENV = STATE / "venv"
PYTHON = VENV / "bin" / "python"
NODE = STATE / "node"
MARIADB = LIVING / "mariadb"
REDIS = LIVING / "redis"
SITES = LIVING / "sites"
ASSETS = SITES / "assets"
COMMON_CONFIG = SITES / "common_site_config.json"
SITE_CONFIG = SITES / SITE / "site_config.json"
LOGS = LIVING / "logs"
RUN = LIVING / "run"
CACHE = STATE / "cache"
CONFIG = STATE / "config"


def site_packages() -> Path:
	"""Return the folder of the virtual environment that packages lie in."""
	return next(VENV.glob("lib/python3*/site-packages"))


def environment() -> dict[str, str]:
	"""Return the variables for a process of the site; tests, commands and servers all get the same.

	CI is not handed on: Frappe's workers take it for a test run and then send no mail.
	"""
	return {
		**{name: value for name, value in os.environ.items() if name != "CI"},
		"PATH": os.pathsep.join((str(VENV / "bin"), os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin")),
		"VIRTUAL_ENV": str(VENV),
		"PYTHONPATH": str(ROOT),
		"PYTHONUNBUFFERED": "1",
		# Google's packages announce the end of Python 3.11 on every import
		"PYTHONWARNINGS": "ignore::FutureWarning:google.api_core._python_version_support",
		"SITES_PATH": str(SITES),
		"FRAPPE_SITE": SITE,
		"DRIP_SITES_PATH": str(SITES),
		"DRIP_SITE": SITE,
	}


def shown(path: Path) -> str:
	"""Return the path as a message shows it: relative to the project where it lies inside."""
	return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
