"""The faults, one function each: it causes the fault during a run. The run then settles without faults.

A fault's docstring describes it. `size` scales it: 1 for the full form, less for the short one.
"""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import workers
from benchmarks.chaos_run import ChaosRun
from benchmarks.services import Services
from benchmarks.smtp_sink import Behavior

SLOW = Behavior(latency_ms=3)  # so that a group lasts long enough to be interrupted
REFUSALS = {"421": 0.05, "450": 0.05, "550": 0.05, "554": 0.05}


@dataclass(frozen=True)
class Fault:
	"""A fault, how many people and steps its campaign has, and the service that it needs."""

	title: str
	cause: Callable[[ChaosRun, Services, float], int | None]
	people: int
	steps: int
	needs: str = ""  # the service that the run must be able to restart
	acts: bool = False  # the campaign also has action steps


def kill_at_random(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""Kill dispatchers and delivery workers wherever they happen to be."""
	wanted = int(140 * size)
	chaos_run.observer.set_behavior(SLOW)
	while sum(chaos_run.kills.values()) < wanted:
		if chaos_run.random.random() < 0.5:
			workers.dispatch(chaos_run.now)  # otherwise delivery workers seldom have anything to do
		started = [workers.start(chaos_run.job(work)) for work in ("dispatch", "deliver", "deliver")]
		for worker in started:
			worker.wait_ready()
		for worker in chaos_run.random.sample(started, len(started)):
			time.sleep(chaos_run.random.uniform(0, 0.12))
			worker.send(signal.SIGKILL)
			worker.process.join()
		chaos_run.count_kills(started)
		chaos_run.pass_time(seconds=chaos_run.random.randint(5, 120))
		if chaos_run.is_idle() and not chaos_run.next_due():
			break


def kill_at_moments(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""Kill workers at the worst moments: right after the SMTP 250, around every commit."""
	wanted = max(int(60 * size), 5)
	while sum(chaos_run.kills.values()) < wanted:
		for point in workers.points_of("dispatch", "deliver"):
			if chaos_run.is_idle() and not chaos_run.next_due():
				return
			if workers.INTERRUPT_POINTS[point].work == "deliver":
				chaos_run.run_jobs(chaos_run.job("dispatch"))  # otherwise there may be nothing to deliver
			others = [
				chaos_run.job(work) for work in ("dispatch", "deliver") if chaos_run.random.random() < 0.5
			]
			chaos_run.run_jobs(chaos_run.interrupted_job(point), *others)
			chaos_run.pass_time(seconds=chaos_run.random.randint(5, 120))


def kill_acting(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""Kill workers that run actions: in a batch, around its commit, and around a Webhook call; sometimes others too."""
	wanted = max(int(60 * size), 5)
	others = workers.points_of("dispatch", "deliver")
	while chaos_run.kills["act"] < wanted and chaos_run.next_due():
		chaos_run.run_jobs(chaos_run.interrupted_job(chaos_run.random.choice(others)))
		chaos_run.run_jobs(chaos_run.job("dispatch"), chaos_run.job("dispatch"))
		for point in workers.points_of("act"):
			beside = [chaos_run.job("act")] if chaos_run.random.random() < 0.3 else []
			chaos_run.run_jobs(chaos_run.interrupted_job(point), *beside)
			chaos_run.pass_time(seconds=chaos_run.random.randint(5, 60))
		chaos_run.run_jobs(chaos_run.job("deliver"), chaos_run.job("act"))
		chaos_run.pass_time(minutes=15)  # a worker that is silent this long counts as dead
		chaos_run.run_jobs(chaos_run.job("dispatch_and_deliver"), chaos_run.job("act"))


def dispatch_eightfold(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""Eight dispatchers and four delivery workers at once."""
	while chaos_run.next_due():
		chaos_run.run_jobs(
			*[chaos_run.job("dispatch")] * 8, *[chaos_run.job(work) for work in chaos_run.works[1:]] * 4
		)
		chaos_run.run_jobs(*[chaos_run.job(work) for work in chaos_run.works[1:]] * 4)


def schedule_twice(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""Two schedulers, each with its own worker, tick by tick."""
	for _tick in range(max(int(24 * size), 4)):
		chaos_run.run_jobs(*[chaos_run.job("dispatch_and_deliver")] * 2)
		chaos_run.next_due() or chaos_run.pass_time(minutes=5)


def freeze_the_clock(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""A thousand runs with a frozen clock."""
	for _run in range(max(int(1000 * size), 50)):
		workers.dispatch_and_deliver(chaos_run.now)


def run_twice(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""Every job run twice: side by side, and again when it is done."""
	while chaos_run.next_due():
		for work in ("dispatch", "deliver", "deliver", "dispatch"):
			chaos_run.run_jobs(*[chaos_run.job(work)] * 2)


def set_the_clock_back(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""The clock set back an hour, with emails queued, being sent and sent."""
	for moment in ("right after the 250", "after a claim"):
		chaos_run.run_jobs(chaos_run.job("dispatch"))
		chaos_run.run_jobs(chaos_run.interrupted_job(moment))
		chaos_run.pass_time(hours=-1)
		chaos_run.run_jobs(*[chaos_run.job("dispatch_and_deliver")] * 2)
		chaos_run.pass_time(minutes=50)
		chaos_run.run_jobs(*[chaos_run.job("dispatch_and_deliver")] * 2)
		chaos_run.pass_time(hours=24)


def set_the_clock_forward(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""A worker stopped for an hour in the middle of its group, then awake again."""
	for moment in ("right after the 250", "after a claim", "before outcomes are committed"):
		chaos_run.run_jobs(chaos_run.job("dispatch"))
		asleep = workers.start(chaos_run.interrupted_job(moment, signal=signal.SIGSTOP))
		time.sleep(1.5)
		chaos_run.pass_time(hours=1)
		chaos_run.run_jobs(chaos_run.job("dispatch_and_deliver"), chaos_run.job("flush"))
		asleep.send(signal.SIGCONT)
		chaos_run.count_kills([asleep])
		asleep.process.join(workers.JOB_SECONDS)
		chaos_run.run_jobs(chaos_run.job("dispatch_and_deliver"))
		chaos_run.pass_time(hours=24)


def switch_off(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""The machine off for twenty minutes; Frappe's own jobs come first when it is back."""
	for moment in ("right after the 250", "after a claim", "before outcomes are committed"):
		chaos_run.run_jobs(chaos_run.job("dispatch"))
		chaos_run.run_jobs(chaos_run.interrupted_job(moment))
		chaos_run.pass_time(minutes=20)
		chaos_run.run_jobs(chaos_run.job("retry_sending"))
		chaos_run.run_jobs(chaos_run.job("flush"), chaos_run.job("flush"))
		chaos_run.run_jobs(chaos_run.job("dispatch_and_deliver"), chaos_run.job("flush"))
		chaos_run.pass_time(hours=24)


def answer_at_random(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""SMTP that stalls, drops after DATA, answers 421, 450, 550, 554 at random."""
	chaos_run.observer.set_behavior(Behavior(stall=0.01, stall_seconds=1.5, drop=0.03, replies=REFUSALS))
	for _tick in range(max(int(40 * size), 6)):
		chaos_run.run_jobs(*[chaos_run.job("dispatch_and_deliver", socket_timeout=1.0)] * 2)
		chaos_run.pass_time(minutes=15)
		chaos_run.look_after()  # this many refusals pause the campaign


def restart_mariadb(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""MariaDB restarted, and killed, in the middle of batches and of groups."""
	chaos_run.observer.set_behavior(SLOW)
	for turn in range(max(int(6 * size), 2)):
		_disturb_services(chaos_run, lambda turn=turn: services.restart_mariadb(kill=bool(turn % 2)))
		chaos_run.reconnect()
		chaos_run.pass_time(hours=24)


def flush_redis(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""Redis emptied in the middle of groups."""
	chaos_run.observer.set_behavior(SLOW)
	for _turn in range(max(int(6 * size), 2)):
		_disturb_services(chaos_run, services.flush_redis)
		chaos_run.pass_time(hours=24)


def stop_redis(chaos_run: ChaosRun, services: Services, size: float) -> None:
	"""Redis stopped in the middle of groups, and started an hour later."""
	chaos_run.observer.set_behavior(SLOW)
	for _turn in range(max(int(4 * size), 1)):
		_disturb_services(chaos_run, services.stop_redis)
		chaos_run.run_jobs(chaos_run.job("dispatch"), chaos_run.job("deliver"))
		services.start_redis()
		chaos_run.pass_time(hours=24)


def _disturb_services(chaos_run: ChaosRun, disturb: Callable[[], None]) -> None:
	started = [workers.start(chaos_run.job(work)) for work in (*chaos_run.works, "deliver")]
	for worker in started:
		worker.wait_ready()
	time.sleep(chaos_run.random.uniform(0.05, 0.4))
	disturb()
	for worker in started:
		worker.process.join(workers.JOB_SECONDS)
	late = [workers.start(chaos_run.job(work)) for work in ("deliver", chaos_run.works[-1])]
	for worker in late:
		worker.wait_ready()
	time.sleep(chaos_run.random.uniform(0.02, 0.2))
	disturb()
	for worker in late:
		worker.process.join(workers.JOB_SECONDS)
	chaos_run.count_kills([*started, *late])


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
