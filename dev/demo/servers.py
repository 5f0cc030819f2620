"""The servers of the demo: a mail server, a web server, and a connection to the site. All of them stop at its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev import processes, serve, services, shell
from dev.demo import jobs, records
from dev.demo.connection import connected
from dev.demo.mail_server import SavingMailServer
from drip_campaigns.site.settings import may_send


@dataclass(frozen=True)
class Servers:
	"""The servers that run during the demo."""

	mail_server: SavingMailServer
	url: str
	pair: jobs.Pair


@contextmanager
def start_servers(mail_folder: Path) -> Iterator[Servers]:
	"""Run everything that the demo needs during a `with` block, and stop it afterwards."""
	with ExitStack() as stack:
		pair = stack.enter_context(jobs.start_pair())
		stack.enter_context(services.services_running())
		stack.enter_context(background_stopped())
		# On the port of `make start` if it is free, so that links in the saved emails work later
		url = stack.enter_context(serve.web_running(processes.free_port(serve.DESK_PORT), "dev.demo.web"))
		server = SavingMailServer(mail_folder)
		server.start()
		stack.callback(server.stop)
		stack.enter_context(connected(url))
		require_sending()
		stack.callback(records.disable_account)
		yield Servers(server, url, pair)


def require_sending() -> None:
	"""Raise StepError if all sending is paused: the demo must not resume it."""
	if not may_send():
		raise shell.StepError(
			"All sending is paused on this site", "Resume it in Drip Settings, or start over: make clean demo"
		)


@contextmanager
def background_stopped() -> Iterator[None]:
	"""Stop the scheduler and the worker of `make start` during a `with` block: the demo has its own time."""
	stopped = [name for name in (serve.SCHEDULER, serve.WORKER) if processes.stop(name)]
	try:
		yield
	finally:
		for name in stopped:
			serve.start_inside(name)
