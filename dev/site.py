"""`make site`: the steps that lead to a site with the app on it, and what each of them depends on."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from contextlib import AbstractContextManager
from dataclasses import replace

from dev import environment, packages, paths, services, shell
from dev.runtime import build
from dev.runtime.corrections import CORRECTIONS
from dev.steps import Step, StepRunner, file_fingerprint

ASSETS_JSON = paths.ASSETS / "assets.json"
BUNDLES = paths.CACHE / "bundles"
MODULES = paths.NODE / "node_modules"

# The app's files that a migrate reads; code alone needs no migrate
SYNCED_SUFFIXES = {".json", ".txt"}
SYNCED_FILES = {"hooks.py", "install.py"}


def make_site(quiet: bool = False) -> None:
	"""Build what is missing or has changed. Idempotent; after an interruption it continues."""
	packages.check_python()
	with lock_folder():
		shell.end_orphans()
		started = time.monotonic()
		ran = StepRunner(STEPS).run_all()
		if ran or not quiet:
			state = "is ready" if ran else "was ready already"
			print(
				f"The site {state} ({time.monotonic() - started:.1f} s). Next: make start, make test, make demo"
			)


def make_packages() -> None:
	"""Install the app and what it and its tests import, in seconds: for tests that need no site."""
	packages.check_python()
	alone = [replace(step, needs=()) for step in STEPS if step.name == "venv"]
	alone += [replace(step, needs=("venv",)) for step in STEPS if step.name == "app"]
	with lock_folder():
		StepRunner(alone).run_all()


def lock_folder() -> AbstractContextManager[None]:
	"""Return a lock that allows one set-up at a time in this folder; a second one prints a line and waits."""
	line = "Another set-up is running in this folder; waiting for it to finish"
	return shell.hold_lock(paths.RUN / "set-up.lock", lambda: print(line, flush=True))


def install_servers() -> None:
	packages.install(packages.missing(packages.SERVERS), log="apt")


def servers_present() -> bool:
	return not packages.missing(packages.SERVERS)


def install_compiler() -> None:
	packages.install(packages.missing(packages.COMPILER), log="apt")


def install_nodejs() -> None:
	packages.install(packages.missing(packages.NODE), log="apt")


def nodejs_present() -> bool:
	return not packages.missing(packages.NODE)


def install_browser() -> None:
	packages.install(packages.missing(packages.BROWSER), log="apt-browser")


def browser_present() -> bool:
	return not packages.missing(packages.BROWSER)


def install_mailbox() -> None:
	packages.install_if_harmless(packages.missing(packages.MAILBOX), log="apt-mailbox")


def assets_fingerprint() -> str:
	"""Return a hash of what the bundles are made by and from; few corrections concern Desk's own files."""
	corrected = [correction for correction in CORRECTIONS if correction.path.startswith("public/")]
	return file_fingerprint(paths.DEV / "assets.mjs", environment.NODE_MANIFEST, build.PIN) + repr(corrected)


def assets_present() -> bool:
	return ASSETS_JSON.exists() and any(BUNDLES.glob("js/*.js"))


def build_assets() -> None:
	"""Bundle Desk's scripts and styles into the cache. The app's own files are served as they are."""
	shutil.rmtree(BUNDLES, ignore_errors=True)
	shell.run(
		[
			packages.find("node") or "node",
			paths.DEV / "assets.mjs",
			paths.site_packages() / "frappe",
			MODULES,
			BUNDLES,
			ASSETS_JSON,
		],
		log="assets",
		remedy="If a Node package is missing, remove .dev/node. Then run the command again.",
	)


def lay_out_sites() -> None:
	"""Make the folder of the sites as a bench has it: apps.txt, assets with a link per app, config and logs."""
	frappe_public = paths.site_packages() / "frappe" / "public"
	for folder in (
		paths.ASSETS / "frappe",
		paths.LOGS,
		paths.CONFIG,
		paths.SITES / paths.SITE / "logs",
		BUNDLES,
	):
		folder.mkdir(parents=True, exist_ok=True)
	(paths.SITES / "apps.txt").write_text(f"frappe\n{paths.APP}\n")
	for entry in frappe_public.iterdir():
		link(paths.ASSETS / "frappe" / entry.name, entry)
	link(paths.ASSETS / "frappe" / "dist", BUNDLES)
	link(paths.ASSETS / "frappe" / "node_modules", MODULES)
	# One of Desk's stylesheets imports from there
	link(frappe_public / "node_modules", MODULES)
	link(paths.ASSETS / paths.APP, paths.ROOT / paths.APP / "public")
	if not ASSETS_JSON.exists():
		ASSETS_JSON.write_text("{}\n")


def link(place: os.PathLike, target: os.PathLike) -> None:
	"""Make a symbolic link, or turn an existing one to the target."""
	if os.path.islink(place):
		os.unlink(place)
	os.symlink(target, place)


def site_present() -> bool:
	return paths.SITE_CONFIG.exists() and services.DATA.exists()


def run_inside(command: str, log: str) -> None:
	"""Run a command of `dev.inside.make_site` on the site, with MariaDB and Redis up."""
	with services.services_running():
		shell.run(
			[paths.PYTHON, "-m", "dev.inside.make_site", command],
			log=log,
			remedy="Fix the cause and run the command again. To start with a new site, run `make clean site`.",
			cwd=paths.SITES,
			env=paths.environment(),
		)


def create_site() -> None:
	"""Create the site. An unfinished one has no stamp and is removed first."""
	shutil.rmtree(paths.SITES / paths.SITE, ignore_errors=True)
	(paths.SITES / paths.SITE / "logs").mkdir(parents=True)
	run_inside("create", log="site")


def synced_fingerprint() -> str:
	"""Return a hash of the app's files that a migrate reads, names included."""
	digest = hashlib.sha256()
	for path in sorted((paths.ROOT / paths.APP).rglob("*")):
		if path.suffix in SYNCED_SUFFIXES or path.name in SYNCED_FILES:
			digest.update(str(path.relative_to(paths.ROOT)).encode() + path.read_bytes())
	return digest.hexdigest()


def bring_up_app() -> None:
	"""Install the app, or migrate the site to the present state of its files."""
	run_inside("bring_up_app", log="app")


# In an order in which each comes after what it needs
STEPS = (
	Step("servers", "MariaDB and Redis (Debian packages)", install_servers, present=servers_present),
	Step("compiler", "compiler for the database driver (Debian)", install_compiler, ("servers",)),
	Step("nodejs", "Node (Debian packages)", install_nodejs, ("compiler",), present=nodejs_present),
	Step(
		"browser",
		"Chromium for tests and demo (Debian)",
		install_browser,
		("nodejs",),
		present=browser_present,
	),
	Step("mailbox", "Dovecot for tests with a mailbox (Debian)", install_mailbox, ("browser",)),
	Step(
		"venv",
		"Python environment",
		environment.create_venv,
		fingerprint=environment.python_fingerprint,
		present=environment.python_runs,
	),
	Step(
		"pip",
		"Python packages of the runtime",
		environment.install_runtime_packages,
		("venv",),
		("venv",),
		environment.requirements_fingerprint,
	),
	Step(
		"driver",
		"database driver, compiled",
		environment.install_driver,
		("venv", "compiler"),
		("venv",),
		environment.requirements_fingerprint,
	),
	Step(
		"runtime",
		"Frappe 16, turned back and corrected",
		environment.build_runtime,
		("venv",),
		("venv",),
		build.fingerprint,
		environment.runtime_present,
	),
	Step(
		"bounces",
		"real bounces for the tests",
		environment.fetch_bounce_samples,
		("venv",),
		fingerprint=environment.bounces_fingerprint,
		present=environment.bounces_present,
	),
	Step(
		"npm",
		"Node packages",
		environment.install_node_packages,
		("nodejs",),
		fingerprint=environment.node_fingerprint,
		present=MODULES.exists,
	),
	Step(
		"layout",
		"folder of the sites",
		lay_out_sites,
		("runtime", "npm"),
		("runtime",),
	),
	Step(
		"assets",
		"Desk's scripts and styles",
		build_assets,
		("layout",),
		("npm",),
		assets_fingerprint,
		assets_present,
	),
	Step(
		"site",
		f"site {paths.SITE}",
		create_site,
		("servers", "pip", "driver", "layout"),
		present=site_present,
	),
	Step(
		"app",
		"the app's packages, editable",
		environment.install_app_package,
		("pip", "driver"),
		("venv",),
		environment.app_fingerprint,
	),
	Step("apps", "the app on the site", bring_up_app, ("site", "app"), ("site",), synced_fingerprint),
)
