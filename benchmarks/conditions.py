"""The cost of conditions: a campaign whose steps have three conditions, compared with the same one without."""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import median

import frappe

from benchmarks import load, setup
from benchmarks.measure import PAUSE_SECONDS
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due

TURNS = 5
TESTS = (
	{"kind": "field", "doctype": "Contact", "field": "status", "operator": "=", "value": "Open"},
	{"kind": "event", "event": "replied", "negated": True},
	{"kind": "tag", "tag": "Drip Bench", "negated": True},
)
HALF_A_DAY = timedelta(hours=12)


def measure(emails: int, now: datetime) -> float:
	"""Return the median, of turns taken side by side, of the time to queue with three conditions over that without."""
	setup.clear()
	people = setup.make_people(emails)
	conditions = json.dumps({"match": "all", "tests": TESTS})
	plain = load.steps(TURNS + 1)
	conditional = [{**step, "conditions": conditions} for step in plain]
	for steps, start in ((plain, now), (conditional, now + HALF_A_DAY)):
		setup.enroll_all(setup.make_campaign(steps, start).name, people, start)
	ratios = []
	for day in range(TURNS + 1):
		moment = now + timedelta(days=day)
		without = _queue(lambda at=moment: dispatch_due.dispatch(at, enqueue_delivery=False), emails, moment)
		later = moment + HALF_A_DAY
		ratios.append(
			_queue(lambda at=later: dispatch_due.dispatch(at, enqueue_delivery=False), emails, later)
			/ without
		)
	return median(ratios[1:])  # the first day compiles texts and reads caches


def _queue(dispatch: Callable[[], int], emails: int, moment: datetime) -> float:
	time.sleep(PAUSE_SECONDS)
	begun = time.perf_counter()
	queued = dispatch()
	seconds = time.perf_counter() - begun
	if queued != emails:
		raise AssertionError(f"{queued} of {emails} emails were queued")
	delivery.deliver(lambda: moment)
	frappe.db.commit()
	return seconds
