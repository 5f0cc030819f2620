"""`make bench`: how fast emails are queued and delivered, beside the standard path and beside what the machine allows.

Everything in one run on one site; a figure that compares is the median of turns taken side by side.
"""

import argparse
import json
import os
import sys
from datetime import timedelta
from functools import partial
from statistics import median
from typing import Any

import frappe
from frappe.utils import create_batch
from rich.console import Console

from benchmarks import (
	audience,
	conditions,
	crew,
	floor,
	ground,
	idle,
	live_list,
	load,
	rivals,
	saving,
	visits,
)
from benchmarks.measure import Pairs, Reading, over_raw_together
from benchmarks.report import show
from benchmarks.trial import BEGIN
from benchmarks.witness import ROOT, Witness
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.site.clock import to_site

AUDIENCE = 500_000
WORKERS = (1, 2, 4)
TURNS = 5
STANDARD_SAMPLE = 60  # each turn
Figures = dict[str, Any]


class Days:
	"""A campaign of daily emails to many: each measurement takes a day of it."""

	def __init__(self, emails: int, port: int) -> None:
		self.emails, self.port, self.now = emails, port, BEGIN
		ground.clear()
		ground.set_options(batch_size=0)  # its default
		self.campaign = ground.make_campaign(load.steps(1 + TURNS + len(WORKERS)), self.now).name
		self.people = ground.make_people(emails)
		ground.enroll_all(self.campaign, self.people, self.now)
		self.queue, self.deliver = Pairs(), Pairs()
		self.standard: list[Reading] = []

	def warm_up(self) -> None:
		"""Pass the first day, and keep what it writes and sends, to do the same in the raw."""
		with floor.recording() as self.recorded:
			dispatch_due.dispatch(self.now, enqueue_delivery=False)
		self.letters = floor.read_letters(to_site(self.now))
		if len(self.letters) != self.emails:
			raise AssertionError(f"{len(self.letters)} of {self.emails} emails were queued")
		delivery.deliver(lambda: self.now)
		self.now += timedelta(days=1)
		rivals.make_template()
		rivals.queue_one_by_one(self.people[:5], self.campaign)

	def pass_day(self) -> None:
		"""Queue and deliver a day's emails, do both in the raw, and queue a sample on the standard path."""
		self.queue.take(
			lambda: dispatch_due.dispatch(self.now, enqueue_delivery=False),
			lambda: floor.insert_copies(self.recorded),
		)
		self._deliver_by_turns()
		self.standard.append(rivals.queue_one_by_one(self.people[:STANDARD_SAMPLE], self.campaign))
		self.now += timedelta(days=1)

	def _deliver_by_turns(self) -> None:
		"""Deliver the day's emails a group at a time, and after or before each as many letters in the raw."""
		courier = delivery.Courier(lambda: self.now)
		try:
			slices = [
				partial(floor.send_letters, letters, self.port)
				for letters in create_batch(self.letters, delivery.GROUP_SIZE)
			]
			self.deliver.take_in_slices(courier.deliver_group, slices)
		finally:
			courier.connections.close()
		left = frappe.db.count("Drip Email", {"status": ["in", ["Queued", "Sending"]]})
		if left:
			raise AssertionError(f"{left} emails were not delivered")

	def describe_turn(self) -> str:
		"""Return the last turn's milliseconds an email, ours and raw."""
		times = (
			self.queue.ours[-1].seconds,
			self.queue.raw[-1],
			self.deliver.ours[-1].seconds,
			self.deliver.raw[-1],
		)
		queue, inserts, deliver, smtp = (seconds * 1000 / self.emails for seconds in times)
		return f"queue {queue:.2f} ms (inserts {inserts:.2f}), deliver {deliver:.2f} ms (smtplib {smtp:.2f})"

	def figures(self) -> Figures:
		"""Return what the days have shown."""
		statements = (self.queue.statements + self.deliver.statements) / self.emails
		sample = min(STANDARD_SAMPLE, self.emails)
		speedups = [
			(standard.seconds / sample) / (ours.seconds / self.emails)
			for standard, ours in zip(self.standard, self.queue.ours, strict=True)
		]
		return {
			"queue_ms": self.queue.seconds * 1000 / self.emails,
			"queue_ms_standard": median(standard.seconds for standard in self.standard) * 1000 / sample,
			"queue_speedup": median(speedups),
			"statements_per_email_standard": median(s.statements for s in self.standard) / sample,
			"queue_over_limit": self.queue.over_raw(),
			"deliver_ms": self.deliver.seconds * 1000 / self.emails,
			"deliver_over_limit": self.deliver.over_raw(),
			"end_to_end_over_limit": over_raw_together(self.queue, self.deliver),
			"end_to_end_per_s": self.emails / (self.queue.seconds + self.deliver.seconds),
			"statements_per_email": statements,
			"message_kb": sum(len(letter.text) for letter in self.letters) / len(self.letters) / 1024,
		}

	def race(self) -> Figures:
		"""From due to accepted in 1, 2 and 4 processes at once, and the memory that the largest of them took."""
		speeds, peak = {}, 0
		for workers in WORKERS:
			seconds, memory = crew.race([crew.Job("dispatch_and_deliver", self.now)] * workers)
			speeds[str(workers)] = self.emails / seconds
			peak = max(peak, memory)
			self.now += timedelta(days=1)
		return {"workers": speeds, "peak_rss_mb": peak / 1024}


def measure_erpnext(days: Days) -> Figures:
	"""Queue a sample with ERPNext's own job, where it is."""
	if not rivals.has_erpnext():
		return {}
	sample = days.people[: STANDARD_SAMPLE * 2]
	erpnext = rivals.queue_with_erpnext(sample)
	return {
		"queue_ms_erpnext": erpnext.seconds * 1000 / len(sample),
		"statements_per_email_erpnext": erpnext.statements / len(sample),
	}


def measure_idle(few: int, many: int) -> Figures:
	"""Enroll many, and dispatch beside those who wait."""
	result = idle.measure(few, many, BEGIN)
	return {
		"enroll_100k_s": result.enroll_seconds * 100_000 / few,
		"idle_ms_100k": result.ms_few,
		"idle_ms_1m": result.ms_many,
		"idle_statements_1m": result.statements_many,
	}


def measure_audience(people: int) -> Figures:
	"""Enroll by list filters, and count an audience."""
	result = audience.measure(people, AUDIENCE, BEGIN)
	return {
		"enroll_list_100k_s": result.enroll_seconds * 100_000 / people,
		"audience_count_500k_s": result.count_seconds,
		"existing_count_500k_s": result.existing_seconds,
	}


def measure_visits() -> Figures:
	"""Follow links and load pictures, one by one and many at once."""
	result = visits.measure(BEGIN)
	return {
		"ping_ms": result.ping_ms,
		"click_ms": result.click_ms,
		"open_ms": result.open_ms,
		"click_over_ping": result.click_ms / result.ping_ms,
		"pings_per_s": result.pings_per_s,
		"clicks_per_s": result.clicks_per_s,
		"clicks_per_s_frappe": result.clicks_per_s_frappe,
		"clicks_over_pings": result.clicks_per_s_frappe / result.pings_per_s,
		"visits_counted_per_s": result.counted_per_s,
	}


def measure_list(people: int) -> Figures:
	"""Fill, refresh and enroll a target list; figures for 100,000."""
	result = live_list.measure(people, BEGIN)
	seconds = {
		"refresh_dynamic_100k_s": max(result.fill_seconds, result.refresh_seconds),
		"enroll_target_list_100k_s": result.enroll_seconds,
	}
	return {key: value * 100_000 / people for key, value in seconds.items()}


def run(options: argparse.Namespace, console: Console) -> Figures:
	"""Measure everything and return the figures."""
	figures: Figures = {}
	with Witness() as witness, ground.standing_on(witness.port):
		days = Days(options.emails, witness.port)
		days.warm_up()
		for turn in range(TURNS):
			days.pass_day()
			console.print(f"  turn {turn + 1}: {days.describe_turn()}", highlight=False)
		figures |= days.figures()
		figures |= measure_erpnext(days)
		figures |= days.race()
		figures["save_overhead_ms"] = saving.measure(BEGIN)
		console.print("  conditions", highlight=False)
		figures["conditions_over_plain"] = conditions.measure(options.emails, BEGIN)
		console.print("  clicks and opens", highlight=False)
		figures |= measure_visits()
		if not options.no_idle:
			console.print("  waiting enrollments", highlight=False)
			figures |= measure_idle(options.waiting // 10, options.waiting)
			console.print("  a target list", highlight=False)
			figures |= measure_list(options.waiting // 10)
			console.print("  audiences", highlight=False)
			figures |= measure_audience(options.waiting // 10)
	return figures


def main(arguments: list[str]) -> int:
	"""Run, print the table, write .dev/bench.json; return 1 when a figure is beyond its bar."""
	parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
	parser.add_argument("--emails", type=int, default=2000, help="how many are due each day")
	parser.add_argument(
		"--waiting", type=int, default=1_000_000, help="enrollments that wait, for the idle run"
	)
	parser.add_argument("--no-idle", action="store_true", help="leave out enrolling and the idle run")
	options = parser.parse_args(arguments)
	os.makedirs(ROOT / ".dev", exist_ok=True)
	crew.LOG.write_text("")
	console = Console(width=None if sys.stdout.isatty() else 110)
	figures = run(options, console)
	(ROOT / ".dev" / "bench.json").write_text(json.dumps(figures, indent=1) + "\n")
	return 0 if show(figures, console) else 1


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
