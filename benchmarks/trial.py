"""One campaign that goes through a fault: people, a clock of its own, the fault, then quiet time until all is settled."""

import random
from datetime import datetime, timedelta, timezone

import frappe

from benchmarks import crew, ground
from benchmarks.sink import Mood
from benchmarks.verdict import Verdict, judge
from benchmarks.witness import Witness
from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.site_clock import from_site
from tests import factories

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
TICK = timedelta(minutes=5)
QUIET_TICKS = 3000  # ten days of a scheduler every five minutes, not counting the hours that are jumped over
MESSAGE = "<p>Hello {{ recipient.first_name }}</p><p><a href='https://example.com/a'>An offer</a></p>"


class Trial:
	"""A campaign of `steps` daily e-mails to `people`, all due at `now`."""

	def __init__(self, witness: Witness, people: int, steps: int, seed: int = 1) -> None:
		self.witness, self.now, self.random = witness, BEGIN, random.Random(seed)
		self.kills: dict[str, int] = {"dispatch": 0, "deliver": 0}
		ground.clear()
		witness.forget()
		witness.be(Mood())
		ground.set_options(batch_size=50)
		rows = [factories.step(day, subject=f"Step {day}", message=MESSAGE) for day in range(steps)]
		self.campaign = ground.make_campaign(rows, self.now).name
		ground.enroll_all(self.campaign, ground.make_people(people), self.now)

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
		"""Note which of these workers were killed."""
		for worker in workers:
			if worker.was_killed and worker.job.work in self.kills:
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
		if self._has_open() or not self._next_send_at():
			return None
		self.now = max(self.now, self._next_send_at())
		return self.now

	def settle(self) -> Verdict:
		"""Let time pass with everything in order until nothing is under way, and judge."""
		self.witness.be(Mood())
		for _tick in range(QUIET_TICKS):
			self.look_after()
			for work in (crew.dispatch, crew.deliver, crew.flush, crew.retry_sending):
				work(self.now)
			frappe.db.commit()
			if not self._has_open() and not self._next_send_at():
				break
			self.next_due()
			self.pass_time(minutes=5)
		return judge(self.campaign, self.witness)

	def look_after(self) -> None:
		"""Do what a manager does who is told that the campaign was paused, or an account held: let them go on."""
		frappe.db.commit()
		frappe.db.delete("Drip Account Brake")
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
		return bool(frappe.get_all("Drip Email", filters=filters, limit=1))

	def _next_send_at(self) -> datetime | None:
		filters = {"campaign": self.campaign, "next_send_at": ["is", "set"]}
		found = frappe.get_all(
			"Drip Enrollment", filters=filters, order_by="next_send_at", limit=1, pluck="next_send_at"
		)
		return from_site(found[0]) if found else None
