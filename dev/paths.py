"""Every path of the dev site, and the environment of its processes."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / "dev"
APP = "drip_campaigns"
SITE = "drip.localhost"

STATE = ROOT / ".dev"
SITE_COPY = STATE / "site-copy"  # a copy of the site with its own servers: see dev/site_copy.py
IS_SITE_COPY = os.environ.get("DRIP_SITE_COPY") == "1"
DATA = SITE_COPY if IS_SITE_COPY else STATE
VENV = STATE / "venv"
PYTHON = VENV / "bin" / "python"
NODE = STATE / "node"
MARIADB = DATA / "mariadb"
REDIS = DATA / "redis"
SITES = DATA / "sites"
ASSETS = SITES / "assets"
COMMON_CONFIG = SITES / "common_site_config.json"
SITE_CONFIG = SITES / SITE / "site_config.json"
LOGS = DATA / "logs"
RUN = DATA / "run"
CACHE = STATE / "cache"
CONFIG = STATE / "config"


def site_packages() -> Path:
	"""Return the folder of the virtual environment that contains the packages."""
	return next(VENV.glob("lib/python3*/site-packages"))


def environment() -> dict[str, str]:
	"""Return the variables for a process of the site; tests, commands and servers all get the same.

	CI is not passed on: with it, Frappe's workers assume a test run and send no mail.
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
	"""Return the path as a message shows it: relative to the project, if it is inside."""
	return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
