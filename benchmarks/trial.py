"""One campaign that goes through a fault: people, a clock of its own, the fault, then quiet time until all is settled."""

import random
from datetime import datetime, timedelta, timezone

import frappe

from benchmarks import crew, deeds, ground
from benchmarks.sink import Mood
from benchmarks.verdict import Verdict, judge
from benchmarks.witness import Witness
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


class Trial:
	"""A campaign of `steps` daily emails to `people`, all due at `now`; with a `receiver` each day's steps act as well."""

	def __init__(
		self, witness: Witness, people: int, steps: int, seed: int = 1, receiver: Receiver | None = None
	) -> None:
		self.witness, self.now, self.random = witness, BEGIN, random.Random(seed)
		self.kills: dict[str, int] = {"dispatch": 0, "deliver": 0, "act": 0}
		ground.clear()
		deeds.clear()
		witness.forget()
		witness.be(Mood())
		ground.set_options(batch_size=50)
		rows = [factories.step(day, subject=f"Step {day}", message=MESSAGE) for day in range(steps)]
		self.deeds = deeds.Deeds(receiver) if receiver else None
		if self.deeds:
			rows += self.deeds.make_steps(steps, self.now)
		self.campaign = ground.make_campaign(rows, self.now).name
		names = ground.make_people(people)
		if self.deeds:
			ground.keep_addresses(names)
		ground.enroll_all(self.campaign, names, self.now)

	@property
	def works(self) -> tuple[str, ...]:
		"""The kinds of workers that have something to do."""
		return ("dispatch", "deliver", "act") if self.deeds else ("dispatch", "deliver")

	def job(self, work: str, **options: object) -> crew.Job:
		"""Return a job at the trial's time."""
		return crew.Job(work, self.now, **options)

	def struck(self, moment: str, **options: object) -> crew.Job:
		"""Return the job that a signal strikes at `moment`, at one of the times that it passes it."""
		at = self.random.randint(1, crew.MOMENTS[moment].often)
		return self.job(crew.MOMENTS[moment].work, strike=moment, strike_at=at, **options)

	def run(self, *jobs: crew.Job) -> list[crew.Worker]:
		"""Do jobs side by side; return when all have ended, and count the killed."""
		return self.count_kills(crew.run(jobs))

	def count_kills(self, workers: list[crew.Worker]) -> list[crew.Worker]:
		"""Note which of these workers were killed; and of those that act, which a lost database has ended."""
		for worker in workers:
			is_lost = worker.ended_badly if worker.job.work == "act" else worker.was_killed
			if is_lost and worker.job.work in self.kills:
				self.kills[worker.job.work] += 1
		return workers

	def pass_time(self, **delta: float) -> None:
		"""Move the trial's clock."""
		self.now += timedelta(**delta)

	def reconnect(self) -> None:
		"""Take a new connection, where the old one may be broken."""
		frappe.destroy()
		ground.connect()

	def next_due(self) -> datetime | None:
		"""Jump to when the next step is due, if nothing is under way now; return that moment."""
		frappe.db.commit()
		due = self._next_moment()
		if self._has_open() or not due:
			return None
		self.now = max(self.now, due)
		return self.now

	def settle(self) -> Verdict:
		"""Let time pass with everything in order until nothing is under way, and judge."""
		self.witness.be(Mood())
		for _tick in range(QUIET_TICKS):
			self.look_after()
			for work in (crew.act, crew.dispatch, crew.deliver, crew.act, crew.flush, crew.retry_sending):
				work(self.now)
			frappe.db.commit()
			if not self._has_open() and not self._next_moment():
				break
			self.next_due()
			self.pass_time(minutes=5)
		return judge(self.campaign, self.witness, self.deeds)

	def look_after(self) -> None:
		"""Do what a manager does who is told that the campaign was paused, or an account held: let them go on."""
		frappe.db.commit()
		frappe.db.delete("Drip Sending Block")
		campaign = frappe.get_doc("Drip Campaign", self.campaign)
		if campaign.status == CampaignStatus.PAUSED.value:
			lifecycle.activate(campaign, self.now)
		frappe.db.commit()

	def is_idle(self) -> bool:
		"""Say whether nothing is queued or being sent."""
		frappe.db.commit()
		return not self._has_open()

	def _has_open(self) -> bool:
		filters = {"campaign": self.campaign, "status": ["in", ["Queued", "Sending"]]}
		calling = {"campaign": self.campaign, "status": ActionStatus.TRYING.value}
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
