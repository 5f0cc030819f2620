"""`make bench`: how fast emails are queued and delivered, compared with the standard path and with the machine's limits.

One run on one site measures everything. A ratio is the median of turns that alternate.
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
	baseline,
	compare_frappe,
	conditions,
	idle,
	live_list,
	load,
	saving,
	setup,
	visits,
	workers,
)
from benchmarks.chaos_run import BEGIN
from benchmarks.measure import Pairs, Reading, over_raw_together
from benchmarks.observers import ROOT, SmtpObserver
from benchmarks.report import show
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.site.clock import to_site

AUDIENCE = 500_000
WORKERS = (1, 2, 4)
TURNS = 5
STANDARD_SAMPLE = 60  # each turn
Figures = dict[str, Any]


class DailyEmails:
	"""A campaign of daily emails to many people. Each measurement uses one day."""

	def __init__(self, emails: int, port: int) -> None:
		self.emails, self.port, self.now = emails, port, BEGIN
		setup.clear()
		setup.set_options(batch_size=0)  # its default
		self.campaign = setup.make_campaign(load.steps(1 + TURNS + len(WORKERS)), self.now).name
		self.people = setup.make_people(emails)
		setup.enroll_all(self.campaign, self.people, self.now)
		self.queue, self.deliver = Pairs(), Pairs()
		self.standard: list[Reading] = []

	def warm_up(self) -> None:
		"""Run the first day, and keep what it writes and sends, for the baseline."""
		with baseline.recording() as self.recorded:
			dispatch_due.dispatch(self.now, enqueue_delivery=False)
		self.messages = baseline.read_messages(to_site(self.now))
		if len(self.messages) != self.emails:
			raise AssertionError(f"{len(self.messages)} of {self.emails} emails were queued")
		delivery.deliver(lambda: self.now)
		self.now += timedelta(days=1)
		compare_frappe.make_template()
		compare_frappe.queue_one_by_one(self.people[:5], self.campaign)

	def pass_day(self) -> None:
		"""Queue and deliver a day's emails, do both in the raw, and queue a sample on the standard path."""
		self.queue.take(
			lambda: dispatch_due.dispatch(self.now, enqueue_delivery=False),
			lambda: baseline.insert_copies(self.recorded),
		)
		self._deliver_by_turns()
		self.standard.append(compare_frappe.queue_one_by_one(self.people[:STANDARD_SAMPLE], self.campaign))
		self.now += timedelta(days=1)

	def _deliver_by_turns(self) -> None:
		"""Deliver the day's emails a group at a time, and after or before each as many messages in the raw."""
		courier = delivery.Courier(lambda: self.now)
		try:
			slices = [
				partial(baseline.send_messages, messages, self.port)
				for messages in create_batch(self.messages, delivery.GROUP_SIZE)
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
		"""Return the figures of all days."""
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
			"message_kb": sum(len(message.text) for message in self.messages) / len(self.messages) / 1024,
		}

	def measure_workers(self) -> Figures:
		"""From due to accepted in 1, 2 and 4 processes at once, and the memory that the largest of them took."""
		speeds, peak = {}, 0
		for count in WORKERS:
			seconds, memory = workers.run_in_parallel([workers.Job("dispatch_and_deliver", self.now)] * count)
			speeds[str(count)] = self.emails / seconds
			peak = max(peak, memory)
			self.now += timedelta(days=1)
		return {"workers": speeds, "peak_rss_mb": peak / 1024}


def measure_erpnext(days: DailyEmails) -> Figures:
	"""Queue a sample with ERPNext's own job, if ERPNext is installed."""
	if not compare_frappe.has_erpnext():
		return {}
	sample = days.people[: STANDARD_SAMPLE * 2]
	erpnext = compare_frappe.queue_with_erpnext(sample)
	return {
		"queue_ms_erpnext": erpnext.seconds * 1000 / len(sample),
		"statements_per_email_erpnext": erpnext.statements / len(sample),
	}


def measure_idle(few: int, many: int) -> Figures:
	"""Enroll many people, and dispatch while they wait."""
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
	with SmtpObserver() as observer, setup.connected_site(observer.port):
		days = DailyEmails(options.emails, observer.port)
		days.warm_up()
		for turn in range(TURNS):
			days.pass_day()
			console.print(f"  turn {turn + 1}: {days.describe_turn()}", highlight=False)
		figures |= days.figures()
		figures |= measure_erpnext(days)
		figures |= days.measure_workers()
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
	"""Run, print the table, write .dev/bench.json; return 1 if a figure misses its threshold."""
	parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
	parser.add_argument("--emails", type=int, default=2000, help="how many are due each day")
	parser.add_argument(
		"--waiting", type=int, default=1_000_000, help="enrollments that wait, for the idle run"
	)
	parser.add_argument("--no-idle", action="store_true", help="skip enrolling and the idle run")
	options = parser.parse_args(arguments)
	os.makedirs(ROOT / ".dev", exist_ok=True)
	workers.LOG.write_text("")
	console = Console(width=None if sys.stdout.isatty() else 110)
	figures = run(options, console)
	(ROOT / ".dev" / "bench.json").write_text(json.dumps(figures, indent=1) + "\n")
	return 0 if show(figures, console) else 1


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
