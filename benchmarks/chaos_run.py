"""A campaign that goes through a fault: its people, its own clock, the fault, then time without faults until all is done."""

import random
from datetime import datetime, timedelta, timezone

import frappe

from benchmarks import action_checks, setup, workers
from benchmarks.assertions import ChaosResult, check_campaign
from benchmarks.observers import SmtpObserver
from benchmarks.smtp_sink import Behavior
from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.flow.actions import ActionStatus
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.site.clock import from_site
from tests import factories
from tests.receiver import Receiver

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
TICK = timedelta(minutes=5)
QUIET_TICKS = 3000  # ten days of a scheduler every five minutes, not counting the hours that are jumped over
MESSAGE = "<p>Hello {{ recipient.first_name }}</p><p><a href='https://example.com/a'>An offer</a></p>"


class ChaosRun:
	"""A campaign of `steps` daily emails to `people`, all due at `now`; with a `receiver` each day also has action steps."""

	def __init__(
		self, observer: SmtpObserver, people: int, steps: int, seed: int = 1, receiver: Receiver | None = None
	) -> None:
		self.observer, self.now, self.random = observer, BEGIN, random.Random(seed)
		self.kills: dict[str, int] = {"dispatch": 0, "deliver": 0, "act": 0}
		setup.clear()
		action_checks.clear()
		observer.forget()
		observer.set_behavior(Behavior())
		setup.set_options(batch_size=50)
		rows = [factories.step(day, subject=f"Step {day}", message=MESSAGE) for day in range(steps)]
		self.action_checks = action_checks.ActionChecks(receiver) if receiver else None
		if self.action_checks:
			rows += self.action_checks.make_steps(steps, self.now)
		self.campaign = setup.make_campaign(rows, self.now).name
		names = setup.make_people(people)
		if self.action_checks:
			setup.keep_addresses(names)
		setup.enroll_all(self.campaign, names, self.now)

	@property
	def works(self) -> tuple[str, ...]:
		"""The kinds of workers that have something to do."""
		return ("dispatch", "deliver", "act") if self.action_checks else ("dispatch", "deliver")

	def job(self, work: str, **options: object) -> workers.Job:
		"""Return a job at the run's time."""
		return workers.Job(work, self.now, **options)

	def interrupted_job(self, point: str, **options: object) -> workers.Job:
		"""Return a job that a signal interrupts one of the times it reaches `point`."""
		at = self.random.randint(1, workers.INTERRUPT_POINTS[point].often)
		return self.job(workers.INTERRUPT_POINTS[point].work, interrupt=point, interrupt_at=at, **options)

	def run_jobs(self, *jobs: workers.Job) -> list[workers.Worker]:
		"""Run jobs in parallel, return when all have ended, and count the killed workers."""
		return self.count_kills(workers.run(jobs))

	def count_kills(self, started: list[workers.Worker]) -> list[workers.Worker]:
		"""Count which workers were killed. Of those that run actions, count those that a lost database ended, too."""
		for worker in started:
			is_lost = worker.ended_badly if worker.job.work == "act" else worker.was_killed
			if is_lost and worker.job.work in self.kills:
				self.kills[worker.job.work] += 1
		return started

	def pass_time(self, **delta: float) -> None:
		"""Move the run's clock."""
		self.now += timedelta(**delta)

	def reconnect(self) -> None:
		"""Open a new connection, because the old one may be broken."""
		frappe.destroy()
		setup.connect()

	def next_due(self) -> datetime | None:
		"""Move the clock to when the next step is due, and return it; None if something is in progress."""
		frappe.db.commit()
		due = self._next_moment()
		if self._has_open() or not due:
			return None
		self.now = max(self.now, due)
		return self.now

	def settle(self) -> ChaosResult:
		"""Run without faults until nothing is in progress, then return the result."""
		self.observer.set_behavior(Behavior())
		for _tick in range(QUIET_TICKS):
			self.look_after()
			for work in (
				workers.act,
				workers.dispatch,
				workers.deliver,
				workers.act,
				workers.flush,
				workers.retry_sending,
			):
				work(self.now)
			frappe.db.commit()
			if not self._has_open() and not self._next_moment():
				break
			self.next_due()
			self.pass_time(minutes=5)
		return check_campaign(self.campaign, self.observer, self.action_checks)

	def look_after(self) -> None:
		"""Resume a paused campaign and unblock its account, as a manager does after a notification."""
		frappe.db.commit()
		frappe.db.delete("Drip Sending Block")
		campaign = frappe.get_doc("Drip Campaign", self.campaign)
		if campaign.status == CampaignStatus.PAUSED.value:
			lifecycle.activate(campaign, self.now)
		frappe.db.commit()

	def is_idle(self) -> bool:
		"""Return whether nothing is queued or being sent."""
		frappe.db.commit()
		return not self._has_open()

	def _has_open(self) -> bool:
		filters = {"campaign": self.campaign, "status": ["in", ["Queued", "Sending"]]}
		calling = {"campaign": self.campaign, "status": ActionStatus.RUNNING.value}
		return bool(
			frappe.get_all("Drip Email", filters=filters, limit=1)
			or frappe.get_all("Drip Action", filters=calling, limit=1)
		)

	def _next_moment(self) -> datetime | None:
		"""Return when the next step or action is due."""
		moments = [
			self._find_first("Drip Enrollment", "next_send_at", {"next_send_at": ["is", "set"]}),
			self._find_first("Drip Action", "due_at", {"status": ActionStatus.WAITING.value}),
		]
		return min((from_site(moment) for moment in moments if moment), default=None)

	def _find_first(self, doctype: str, field: str, filters: dict) -> datetime | None:
		rows = frappe.get_all(
			doctype, {"campaign": self.campaign, **filters}, pluck=field, order_by=field, limit=1
		)
		return rows[0] if rows else None
