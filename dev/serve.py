"""`make start`, `make stop`, `make clean`: the servers of the site, and the parts of them that demo and tests use."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from dev import packages, paths, processes, services, shell, site, site_copy

DESK_PORT = 8000
SMTP_PORT = 1025
INBOX_PORT = 1080
WEB, WORKER, SCHEDULER, MAIL = "web", "worker", "scheduler", "mail"
NAMES = (WEB, WORKER, SCHEDULER, MAIL)
READY_SECONDS = 60


def start(arguments: list[str]) -> None:
	"""Serve Desk, run jobs and catch mail, in the background; print where everything is."""
	port = int(arguments[0]) if arguments else DESK_PORT
	running = processes.find(WEB)
	if running and running.port != port:
		raise shell.StepError(
			f"The site is served on port {running.port} already", "Use it there, or run `make stop` first."
		)
	if not running:
		require_port(port, f"make start PORT={processes.free_port(port + 1)}")
	site.make_site(quiet=True)
	services.start_all()
	smtp, inbox = start_mail()
	point_site_at(port, smtp)
	start_web(WEB, port, reload=True)
	start_inside(WORKER)
	start_inside(SCHEDULER)
	print(
		f"Desk    {url(port)}  (Administrator, password admin)\n"
		f"Inbox   {url(inbox)}  (every mail the site sends ends here)\n"
		f"Logs    {paths.shown(paths.LOGS)}/{{{','.join(NAMES)}}}.log\n"
		"Stop    make stop"
	)


def stop() -> None:
	"""Stop everything that runs for this folder."""
	site_copy.stop()
	stopped = [name for name in NAMES if processes.stop(name)] + services.stop_all()
	print(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running")


def clean() -> None:
	"""Stop everything and remove what was built, the site and its data included. Debian packages stay."""
	stop()
	with site.lock_folder():
		shutil.rmtree(paths.STATE, ignore_errors=True)
		# The one thing outside: setuptools creates it next to an editable package
		shutil.rmtree(paths.ROOT / f"{paths.APP}.egg-info", ignore_errors=True)
	print(f"Removed {paths.shown(paths.STATE)}")


def url(port: int) -> str:
	return f"http://{processes.LOOPBACK}:{port}"


def require_port(port: int, remedy: str) -> None:
	"""Raise StepError if another program listens on the port."""
	if not processes.is_free(port):
		raise shell.StepError(f"Another program uses port {port}", f"Use a free one: {remedy}")


def start_web(
	name: str, port: int, reload: bool = False, program: str = "dev.inside.serve"
) -> processes.Process:
	"""Start a web server of the site and wait until it responds. A running one with this name stays."""
	if running := processes.find(name):
		return running
	process = processes.start(
		name,
		[paths.PYTHON, "-m", program, "web", str(port), *(["--reload"] if reload else [])],
		port=port,
		cwd=paths.SITES,
		env=paths.environment(),
	)
	processes.wait_until(process, lambda: answers(f"{url(port)}/api/method/ping"), READY_SECONDS)
	return process


def start_inside(name: str) -> None:
	"""Start the worker or the scheduler, unless it runs."""
	if not processes.find(name):
		command = [paths.PYTHON, "-m", "dev.inside.serve", name]
		processes.start(name, command, cwd=paths.SITES, env=paths.environment())


def start_mail() -> tuple[int, int]:
	"""Start the mail catcher and return its two ports: SMTP, and the inbox for the browser."""
	ports_file = paths.RUN / "mail-ports.json"
	if processes.find(MAIL):
		smtp, inbox = json.loads(ports_file.read_text())
		return smtp, inbox
	smtp, inbox = processes.free_port(SMTP_PORT), processes.free_port(INBOX_PORT)
	process = processes.start(
		MAIL,
		[
			packages.find("node") or "node",
			site.MODULES / "maildev" / "bin" / "maildev",
			*("--smtp", str(smtp), "--web", str(inbox)),
			*("--ip", processes.LOOPBACK, "--web-ip", processes.LOOPBACK),
			*("--mail-directory", str(paths.STATE / "inbox")),
		],
		port=inbox,
	)
	ports_file.write_text(json.dumps([smtp, inbox]))
	ready = lambda: processes.is_listening(smtp) and processes.is_listening(inbox)  # noqa: E731
	processes.wait_until(process, ready, READY_SECONDS)
	return smtp, inbox


def point_site_at(port: int, smtp: int) -> None:
	"""Make links in mails lead to this web server, and send mails to this catcher."""
	config = json.loads(paths.SITE_CONFIG.read_text())
	paths.SITE_CONFIG.write_text(json.dumps({**config, "host_name": url(port)}, indent=1, sort_keys=True))
	shell.run(
		[paths.PYTHON, "-m", "dev.inside.mail", str(smtp)],
		log="mail-account",
		remedy="Fix the cause and run the command again. To start with a new site, run `make clean site`.",
		cwd=paths.SITES,
		env=paths.environment(),
	)


def answers(address: str) -> bool:
	"""Return whether a web address responds with success."""
	try:
		with urllib.request.urlopen(address, timeout=10) as response:
			return response.status == 200
	except OSError:
		return False


@contextmanager
def web_running(port: int | None = None, program: str = "dev.inside.serve") -> Iterator[str]:
	"""Serve the site during a `with` block, on a free port, with MariaDB and Redis up; yield its address.

	It stops what it started.
	"""
	name = f"web-{time.monotonic_ns()}"
	with services.services_running():
		try:
			process = start_web(name, port or processes.free_port(), program=program)
			yield url(process.port or 0)
		finally:
			processes.stop(name)


@contextmanager
def worker_running() -> Iterator[None]:
	"""Run a background worker during a `with` block; MariaDB and Redis must be up."""
	name = f"worker-{time.monotonic_ns()}"
	command = [paths.PYTHON, "-m", "dev.inside.serve", WORKER]
	processes.start(name, command, cwd=paths.SITES, env=paths.environment())
	try:
		yield
	finally:
		processes.stop(name)


@contextmanager
def mail_running() -> Iterator[tuple[int, int]]:
	"""Run the mail catcher during a `with` block; yield its SMTP and inbox ports. A running one stays."""
	found = processes.find(MAIL)
	try:
		yield start_mail()
	finally:
		if not found:
			processes.stop(MAIL)
