"""Worker processes that do one job each and can be killed: forked like Frappe's own, each with its own connection.

A job's time is an argument, so a run can move the clock an hour without waiting.
"""

import contextlib
import importlib
import multiprocessing
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import frappe
import frappe.email.queue
import frappe.email.smtp  # preloaded, as is all that a job imports when it is needed

from benchmarks import setup
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.jobs import run_actions as actions
from drip_campaigns.outbox import connections
from drip_campaigns.site.clock import to_site

LOG = Path(__file__).resolve().parent.parent / ".dev" / "bench-jobs.log"
JOB_SECONDS = 300
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["benchmarks.warmup"])


class InterruptPoint(NamedTuple):
	"""A function before or after which a signal interrupts a job. A job calls it about `often` times."""

	work: str
	module: str
	function: str
	returned: bool
	often: int = 1


_RUNNER, _DELIVERY = "drip_campaigns.jobs.dispatch_due", "drip_campaigns.jobs.deliver"
_ACTIONS, _RUN_ACTIONS = "drip_campaigns.actions", "drip_campaigns.jobs.run_actions"
INTERRUPT_POINTS: dict[str, InterruptPoint] = {
	"before a batch is written": InterruptPoint("dispatch", _RUNNER, "insert_emails", False, 2),
	"before a batch is committed": InterruptPoint("dispatch", _RUNNER, "record_events", True, 2),
	"after a batch is committed": InterruptPoint("dispatch", _RUNNER, "batch_size", False, 3),
	"after a claim": InterruptPoint("deliver", _DELIVERY, "cancel_or_pause", False),
	"before the text": InterruptPoint("deliver", _DELIVERY, "send_text", False, 30),
	"right after the 250": InterruptPoint("deliver", _DELIVERY, "send_text", True, 30),
	"before outcomes are committed": InterruptPoint("deliver", _DELIVERY, "settle", True),
	"in the middle of a batch of actions": InterruptPoint(
		"act", f"{_ACTIONS}.rights", "check_owner", True, 20
	),
	"before effects are committed": InterruptPoint("act", _RUN_ACTIONS, "record_events", True, 2),
	"after effects are committed": InterruptPoint("act", _RUN_ACTIONS, "explain_unfit_owner", False, 3),
	"before a Webhook is called": InterruptPoint("act", f"{_ACTIONS}.webhooks", "send", False, 8),
	"after a Webhook was called": InterruptPoint("act", f"{_ACTIONS}.webhooks", "send", True, 8),
}


def points_of(*works: str) -> list[str]:
	"""Return the points at which jobs of these kinds can be interrupted."""
	return [name for name, point in INTERRUPT_POINTS.items() if point.work in works]


@dataclass(frozen=True)
class Job:
	"""What a process does, and where a signal interrupts it."""

	work: str
	now: datetime
	interrupt: str = ""
	interrupt_at: int = 1  # 1: the first time the job reaches the point
	signal: int = signal.SIGKILL
	socket_timeout: float = 2.0


@dataclass
class Worker:
	"""A started job: `ready` once it is connected and begins."""

	job: Job
	process: multiprocessing.Process
	pipe: object

	@property
	def was_killed(self) -> bool:
		return self.process.exitcode == -signal.SIGKILL

	@property
	def ended_badly(self) -> bool:
		return self.process.exitcode != 0

	def wait_ready(self) -> None:
		"""Return when the job begins, or its process has ended."""
		if self.pipe.poll(JOB_SECONDS):
			self._receive()

	def result(self) -> tuple[float, float, int]:
		"""Return when the work began and ended (a monotonic clock), and the process's peak memory (KB)."""
		self.process.join(JOB_SECONDS)
		answer = self._receive() if self.pipe.poll() else None
		if answer is None:
			raise RuntimeError(f"a job ended badly: read {LOG}")
		return answer

	def _receive(self):
		try:
			return self.pipe.recv()
		except EOFError:
			return None

	def send(self, number: int) -> None:
		"""Send a signal to exactly this process, if it still runs."""
		if self.process.is_alive():
			with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
				os.kill(self.process.pid, number)


def start(job: Job, gate: object = None) -> Worker:
	"""Start one process for one job; with a gate (a barrier) it begins when all that share it are ready."""
	mine, theirs = _CONTEXT.Pipe(duplex=False)
	process = _CONTEXT.Process(target=_perform, args=(job, theirs, gate), daemon=True)
	process.start()
	theirs.close()
	return Worker(job, process, mine)


def run(jobs: Iterable[Job]) -> list[Worker]:
	"""Run the jobs in parallel and return when all have ended."""
	workers = [start(job) for job in jobs]
	for worker in workers:
		worker.process.join(JOB_SECONDS)
	return workers


def run_in_parallel(jobs: list[Job]) -> tuple[float, int]:
	"""Start jobs at the same moment; return the seconds until the last has ended, and the largest peak memory (KB)."""
	gate = _CONTEXT.Barrier(len(jobs))
	results = [worker.wait_ready() or worker.result() for worker in [start(job, gate) for job in jobs]]
	return max(end for _begin, end, _memory in results) - min(begin for begin, *_rest in results), max(
		memory for *_times, memory in results
	)


def _perform(job: Job, pipe, gate) -> None:
	sys.stdout = sys.stderr = LOG.open("a")
	try:
		setup.connect()
		connections.SOCKET_TIMEOUT_SECONDS = job.socket_timeout
		_set_interrupt(job)
		pipe.send("ready")
		if gate:
			gate.wait(JOB_SECONDS)
		begun = time.monotonic()  # the machine's own, the same for all processes
		WORK[job.work](job.now)
		pipe.send((begun, time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
	except Exception:  # noqa: BLE001 - a fault may end a job; the log says how
		traceback.print_exc()
		sys.exit(1)


def _set_interrupt(job: Job) -> None:
	if not job.interrupt:
		return
	point = INTERRUPT_POINTS[job.interrupt]
	module, returned = importlib.import_module(point.module), point.returned
	function, left = getattr(module, point.function), [job.interrupt_at]

	def call_and_interrupt(*args: object, **options: object) -> object:
		left[0] -= 1
		if not left[0] and not returned:
			os.kill(os.getpid(), job.signal)
		result = function(*args, **options)
		if not left[0] and returned:
			os.kill(os.getpid(), job.signal)
		return result

	setattr(module, point.function, call_and_interrupt)


def dispatch(now: datetime) -> None:
	"""Do what the scheduler's job does."""
	dispatch_due.dispatch(now, enqueue_delivery=False)
	dispatch_due.count_events()


def deliver(now: datetime) -> None:
	"""Do what the delivery job does."""
	delivery.deliver(lambda: now)


def act(now: datetime) -> None:
	"""Do what the job of the actions does."""
	actions.run(now)


def flush(now: datetime) -> None:
	"""Run Frappe's own sending at `now`."""
	with mock.patch("frappe.email.queue.now_datetime", lambda: to_site(now)):
		frappe.email.queue.flush()
	frappe.db.commit()


def retry_sending(now: datetime) -> None:
	"""Run Frappe's own reset of rows that stayed `Sending` too long at `now`."""
	with mock.patch("frappe.email.queue.now_datetime", lambda: to_site(now)):
		frappe.email.queue.retry_sending_emails()
	frappe.db.commit()


def dispatch_and_deliver(now: datetime) -> None:
	"""From due to accepted, in one process."""
	dispatch(now)
	deliver(now)


WORK: dict[str, Callable[[datetime], None]] = {
	function.__name__: function
	for function in (dispatch, deliver, act, flush, retry_sending, dispatch_and_deliver)
}
