"""What the demo stands on: a mail server, a web server, a connection to the site. Nothing of it is left running."""

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
class Stage:
	"""The parts that are up while the story is played."""

	mail_server: SavingMailServer
	url: str
	pair: jobs.Pair


@contextmanager
def set_stage(mail_folder: Path) -> Iterator[Stage]:
	"""Have everything up for a `with` block; whatever happens in it, it is taken down again."""
	with ExitStack() as stack:
		pair = stack.enter_context(jobs.pair_waiting())
		stack.enter_context(services.services_running())
		stack.enter_context(background_stopped())
		# On the port of `make start` where it is free: then the links in the kept emails work there later
		url = stack.enter_context(serve.web_running(processes.free_port(serve.DESK_PORT), "dev.demo.web"))
		server = SavingMailServer(mail_folder)
		server.start()
		stack.callback(server.stop)
		stack.enter_context(connected(url))
		check_that_mail_may_leave()
		stack.callback(records.disable_account)
		yield Stage(server, url, pair)


def check_that_mail_may_leave() -> None:
	"""Stop with one line where somebody has held all sending: that is not the demo's to lift."""
	if not may_send():
		raise shell.StepError(
			"All sending is held on this site", "Lift it in Drip Settings, or begin anew: make clean demo"
		)


@contextmanager
def background_stopped() -> Iterator[None]:
	"""End the scheduler and the worker of `make start` for a `with` block: in the demo the time is not theirs."""
	stopped = [name for name in (serve.SCHEDULER, serve.WORKER) if processes.stop(name)]
	try:
		yield
	finally:
		for name in stopped:
			serve.start_inside(name)
