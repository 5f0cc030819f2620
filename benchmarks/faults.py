"""The faults, one function each: it gets a trial, does its worst, and leaves the rest to quiet time.

A fault's docstring is its line in the table. `size` scales it: 1 for the full form, less for the short one.
"""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import crew
from benchmarks.services import Services
from benchmarks.sink import Mood
from benchmarks.trial import Trial

SLOW = Mood(latency_ms=3)  # so that a group lasts long enough to be struck
REFUSALS = {"421": 0.05, "450": 0.05, "550": 0.05, "554": 0.05}


@dataclass(frozen=True)
class Fault:
	"""What is tried, on how many people and steps, and how many emails it may leave in doubt beside one a killed worker."""

	title: str
	cause: Callable[[Trial, Services, float], int | None]
	people: int
	steps: int
	needs: str = ""  # the service that must be in our hands
	acts: bool = False  # the campaign has steps that act beside its emails


def kill_at_random(trial: Trial, services: Services, size: float) -> None:
	"""Kill dispatchers and delivery workers wherever they happen to be."""
	wanted = int(140 * size)
	trial.witness.be(SLOW)
	while sum(trial.kills.values()) < wanted:
		if trial.random.random() < 0.5:
			crew.dispatch(trial.now)  # else delivery workers seldom find anything to do
		workers = [crew.start(trial.job(work)) for work in ("dispatch", "deliver", "deliver")]
		for worker in workers:
			worker.wait_ready()
		for worker in trial.random.sample(workers, len(workers)):
			time.sleep(trial.random.uniform(0, 0.12))
			worker.send(signal.SIGKILL)
			worker.process.join()
		trial.count_kills(workers)
		trial.pass_time(seconds=trial.random.randint(5, 120))
		if trial.is_idle() and not trial.next_due():
			break


def kill_at_moments(trial: Trial, services: Services, size: float) -> None:
	"""Kill them at the worst moments: right after the SMTP 250, around every commit."""
	wanted = max(int(60 * size), 5)
	while sum(trial.kills.values()) < wanted:
		for moment in crew.moments_of("dispatch", "deliver"):
			if trial.is_idle() and not trial.next_due():
				return
			if crew.MOMENTS[moment].work == "deliver":
				trial.run(trial.job("dispatch"))  # else there may be nothing to deliver
			others = [trial.job(work) for work in ("dispatch", "deliver") if trial.random.random() < 0.5]
			trial.run(trial.struck(moment), *others)
			trial.pass_time(seconds=trial.random.randint(5, 120))


def kill_acting(trial: Trial, services: Services, size: float) -> None:
	"""Kill those that act: within a batch, around its commit, before and after the call of a Webhook; and now and then others."""
	wanted = max(int(60 * size), 5)
	others = crew.moments_of("dispatch", "deliver")
	while trial.kills["act"] < wanted and trial.next_due():
		trial.run(trial.struck(trial.random.choice(others)))
		trial.run(trial.job("dispatch"), trial.job("dispatch"))
		for moment in crew.moments_of("act"):
			beside = [trial.job("act")] if trial.random.random() < 0.3 else []
			trial.run(trial.struck(moment), *beside)
			trial.pass_time(seconds=trial.random.randint(5, 60))
		trial.run(trial.job("deliver"), trial.job("act"))
		trial.pass_time(minutes=15)  # whoever is silent for so long is dead
		trial.run(trial.job("dispatch_and_deliver"), trial.job("act"))


def dispatch_eightfold(trial: Trial, services: Services, size: float) -> None:
	"""Eight dispatchers and four delivery workers at once."""
	while trial.next_due():
		trial.run(*[trial.job("dispatch")] * 8, *[trial.job(work) for work in trial.works[1:]] * 4)
		trial.run(*[trial.job(work) for work in trial.works[1:]] * 4)


def schedule_twice(trial: Trial, services: Services, size: float) -> None:
	"""Two schedulers, each with its own worker, tick by tick."""
	for _tick in range(max(int(24 * size), 4)):
		trial.run(*[trial.job("dispatch_and_deliver")] * 2)
		trial.next_due() or trial.pass_time(minutes=5)


def freeze_the_clock(trial: Trial, services: Services, size: float) -> None:
	"""A thousand runs with a clock that stands still."""
	for _run in range(max(int(1000 * size), 50)):
		crew.dispatch_and_deliver(trial.now)


def run_twice(trial: Trial, services: Services, size: float) -> None:
	"""Every job run twice: side by side, and again when it is done."""
	while trial.next_due():
		for work in ("dispatch", "deliver", "deliver", "dispatch"):
			trial.run(*[trial.job(work)] * 2)


def set_the_clock_back(trial: Trial, services: Services, size: float) -> None:
	"""The clock set back an hour, with emails queued, being sent and sent."""
	for moment in ("right after the 250", "after a claim"):
		trial.run(trial.job("dispatch"))
		trial.run(trial.struck(moment))
		trial.pass_time(hours=-1)
		trial.run(*[trial.job("dispatch_and_deliver")] * 2)
		trial.pass_time(minutes=50)
		trial.run(*[trial.job("dispatch_and_deliver")] * 2)
		trial.pass_time(hours=24)


def set_the_clock_forward(trial: Trial, services: Services, size: float) -> None:
	"""A worker stopped for an hour in the middle of its group, then awake again."""
	for moment in ("right after the 250", "after a claim", "before outcomes are committed"):
		trial.run(trial.job("dispatch"))
		asleep = crew.start(trial.struck(moment, signal=signal.SIGSTOP))
		time.sleep(1.5)
		trial.pass_time(hours=1)
		trial.run(trial.job("dispatch_and_deliver"), trial.job("flush"))
		asleep.send(signal.SIGCONT)
		trial.count_kills([asleep])
		asleep.process.join(crew.JOB_SECONDS)
		trial.run(trial.job("dispatch_and_deliver"))
		trial.pass_time(hours=24)


def switch_off(trial: Trial, services: Services, size: float) -> None:
	"""The machine off for twenty minutes; Frappe's own jobs come first when it is back."""
	for moment in ("right after the 250", "after a claim", "before outcomes are committed"):
		trial.run(trial.job("dispatch"))
		trial.run(trial.struck(moment))
		trial.pass_time(minutes=20)
		trial.run(trial.job("retry_sending"))
		trial.run(trial.job("flush"), trial.job("flush"))
		trial.run(trial.job("dispatch_and_deliver"), trial.job("flush"))
		trial.pass_time(hours=24)


def answer_at_random(trial: Trial, services: Services, size: float) -> None:
	"""SMTP that stalls, drops after DATA, answers 421, 450, 550, 554 at random."""
	trial.witness.be(Mood(stall=0.01, stall_seconds=1.5, drop=0.03, replies=REFUSALS))
	for _tick in range(max(int(40 * size), 6)):
		trial.run(*[trial.job("dispatch_and_deliver", socket_timeout=1.0)] * 2)
		trial.pass_time(minutes=15)
		trial.look_after()  # so many refusals pause the campaign


def restart_mariadb(trial: Trial, services: Services, size: float) -> None:
	"""MariaDB restarted, and killed, in the middle of batches and of groups."""
	trial.witness.be(SLOW)
	for turn in range(max(int(6 * size), 2)):
		_strike_services(trial, lambda turn=turn: services.restart_mariadb(kill=bool(turn % 2)))
		trial.reconnect()
		trial.pass_time(hours=24)


def flush_redis(trial: Trial, services: Services, size: float) -> None:
	"""Redis emptied in the middle of groups."""
	trial.witness.be(SLOW)
	for _turn in range(max(int(6 * size), 2)):
		_strike_services(trial, services.flush_redis)
		trial.pass_time(hours=24)


def stop_redis(trial: Trial, services: Services, size: float) -> None:
	"""Redis stopped in the middle of groups, and started an hour later."""
	trial.witness.be(SLOW)
	for _turn in range(max(int(4 * size), 1)):
		_strike_services(trial, services.stop_redis)
		trial.run(trial.job("dispatch"), trial.job("deliver"))
		services.start_redis()
		trial.pass_time(hours=24)


def _strike_services(trial: Trial, strike: Callable[[], None]) -> None:
	workers = [crew.start(trial.job(work)) for work in (*trial.works, "deliver")]
	for worker in workers:
		worker.wait_ready()
	time.sleep(trial.random.uniform(0.05, 0.4))
	strike()
	for worker in workers:
		worker.process.join(crew.JOB_SECONDS)
	late = [crew.start(trial.job(work)) for work in ("deliver", trial.works[-1])]
	for worker in late:
		worker.wait_ready()
	time.sleep(trial.random.uniform(0.02, 0.2))
	strike()
	for worker in late:
		worker.process.join(crew.JOB_SECONDS)
	trial.count_kills([*workers, *late])


FAULTS = (
	Fault("kill -9 at random moments", kill_at_random, people=240, steps=24),
	Fault("kill -9 after the 250, around commits", kill_at_moments, people=240, steps=14),
	Fault("kill -9 while steps act", kill_acting, people=120, steps=7, acts=True),
	Fault("eight dispatchers at once", dispatch_eightfold, people=400, steps=3),
	Fault("four that act, eight dispatchers", dispatch_eightfold, people=200, steps=4, acts=True),
	Fault("two schedulers", schedule_twice, people=200, steps=4),
	Fault("1,000 runs with a frozen clock", freeze_the_clock, people=50, steps=2),
	Fault("a job run twice", run_twice, people=200, steps=3),
	Fault("the clock set back an hour", set_the_clock_back, people=200, steps=3),
	Fault("a worker asleep for an hour", set_the_clock_forward, people=200, steps=4),
	Fault("the machine off for 20 minutes", switch_off, people=200, steps=4),
	Fault("SMTP 421, 450, 550, 554, stalls, drops", answer_at_random, people=300, steps=3),
	Fault("MariaDB restarted and killed", restart_mariadb, people=300, steps=6, needs="mariadb"),
	Fault("MariaDB killed while steps act", restart_mariadb, people=150, steps=6, needs="mariadb", acts=True),
	Fault("Redis emptied", flush_redis, people=300, steps=6, needs="redis"),
	Fault("Redis stopped", stop_redis, people=300, steps=4, needs="redis-restart"),
)
