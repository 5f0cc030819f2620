"""Clicks and opens: the server's time for one, compared with Frappe's simplest method, and how many it handles per second.

The server's own time, without network: the WSGI application is called as a web server's worker calls it.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from statistics import quantiles
from typing import Any

import frappe
import frappe.app
from werkzeug.test import Client

from benchmarks import setup
from drip_campaigns import wsgi
from drip_campaigns.core.tracking.visits import VisitKind
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.jobs.count_visits import count_visits
from drip_campaigns.rendering.links import Links
from drip_campaigns.site.clock import utc_now
from tests import factories

PING = "/api/method/ping"
ROUNDS, WARM_UP = 400, 30
CLICKERS, CLICK_SECONDS = 2, 6
PEOPLE = 200
TEXT = '<p>Hello <a href="https://example.com/offer">An offer</a></p>'
AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}


class LostVisitError(Exception):
	"""A click was answered and not counted, or counted twice."""


@dataclass(frozen=True)
class Visits:
	"""Milliseconds (95 of 100 are faster) of Frappe's ping, a redirect and a picture, all by Frappe's way in; and how many a second.

	`clicks_per_s` by the way in of ours (`drip_campaigns/wsgi.py`), `clicks_per_s_frappe` by Frappe's own, as `pings_per_s`.
	"""

	ping_ms: float
	click_ms: float
	open_ms: float
	pings_per_s: float
	clicks_per_s: float
	clicks_per_s_frappe: float
	counted_per_s: float


@dataclass(frozen=True)
class _Answered:
	"""How many requests were answered in how many seconds."""

	answered: int
	seconds: float

	@property
	def per_s(self) -> float:
		return self.answered / self.seconds


def measure(now: datetime) -> Visits:
	"""Send emails whose links count, ask for them, and count; raise LostVisitError if one is lost or doubled."""
	setup.clear()
	campaign = setup.make_campaign([factories.step(0, "Hello", TEXT)], now, tracking_mode="Anonymous Totals")
	setup.enroll_all(campaign.name, setup.make_people(PEOPLE), now)
	dispatch_due.dispatch(now, enqueue_delivery=False)
	clicks, opens = _make_links()
	site = frappe.local.site
	frappe.destroy()
	frappe.app._site, frappe.app._sites_path = site, "."
	try:
		times = _take_turns({"ping": [PING], "click": clicks, "open": opens})
		pings = _ask_together(frappe.app.application, [PING])
		slow = _ask_together(frappe.app.application, clicks)
		quick = _ask_together(wsgi.application, clicks)
	finally:
		setup.connect()
	begun = time.perf_counter()
	count_visits(utc_now() + timedelta(minutes=1))
	counting = time.perf_counter() - begun
	answered = slow.answered + quick.answered
	_check(answered + ROUNDS + WARM_UP, killed=2)
	speeds = (pings.per_s, quick.per_s, slow.per_s, answered / counting)
	return Visits(times["ping"], times["click"], times["open"], *speeds)


def _make_links() -> tuple[list[str], list[str]]:
	"""Return the paths of the links and of the pictures of the emails that were queued."""
	key, links = frappe.get_all("Drip Tracking URL", pluck="name")[0], Links()
	trackers = [links.tracker(name) for name in frappe.get_all("Drip Email", pluck="name")]
	clicks = [f"{tracker.click_url}/{key}" for tracker in trackers]
	return [_path(url) for url in clicks], [_path(tracker.open_url) for tracker in trackers]


def _path(url: str) -> str:
	return "/" + url.split("/", 3)[3]


def _take_turns(paths: dict[str, list[str]]) -> dict[str, float]:
	"""Ask for each kind in turn, so that a slow second affects all of them; return the 95th percentile of each."""
	client, taken = Client(frappe.app.application), {kind: [] for kind in paths}
	for turn in range(WARM_UP + ROUNDS):
		for kind, some in paths.items():
			milliseconds = _ask(client, some[turn % len(some)])
			if turn >= WARM_UP:
				taken[kind].append(milliseconds)
	return {kind: quantiles(values, n=20)[-1] for kind, values in taken.items()}


def _ask(client: Client, path: str) -> float:
	begun = time.perf_counter()
	answer = client.get(path, headers=AGENT)
	elapsed = (time.perf_counter() - begun) * 1000
	answer.close()
	if answer.status_code not in (200, 302):
		raise AssertionError(f"{path}: {answer.status}")
	return elapsed


def _ask_together(application: Callable, paths: list[str]) -> _Answered:
	"""Ask in several processes at once and kill one of them in the middle; return how many requests were answered."""
	fork = multiprocessing.get_context("fork")
	answered: list[Any] = [fork.Value("l", 0, lock=False) for _clicker in range(CLICKERS + 1)]
	started = [fork.Process(target=_ask_on, args=(application, paths, number)) for number in answered]
	begun = time.perf_counter()
	for process in started:
		process.start()
	time.sleep(CLICK_SECONDS / 2)
	os.kill(started[-1].pid, signal.SIGKILL)
	for process in started:
		process.join()
	return _Answered(sum(number.value for number in answered), time.perf_counter() - begun)


def _ask_on(application: Callable, paths: list[str], answered: Any) -> None:
	client, end = Client(application), time.perf_counter() + CLICK_SECONDS
	for turn in count(os.getpid()):
		if time.perf_counter() > end:
			os._exit(0)
		_ask(client, paths[turn % len(paths)])
		answered.value += 1


def _check(answered: int, killed: int) -> None:
	"""Check the counts. A killed process may have recorded a click without replying."""
	counted = frappe.db.count("Drip Event", {"event_type": VisitKind.CLICK.value})
	if not answered <= counted <= answered + killed:
		raise LostVisitError(f"{answered} clicks were answered, {counted} were counted")
