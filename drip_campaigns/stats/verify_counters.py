"""Count the log again, compare it with the counters, and correct those that are wrong."""

from collections import Counter
from typing import NamedTuple

import frappe
from frappe.query_builder.functions import Count, Sum

from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.stats.counters import DIMENSIONS, DOCTYPE, CounterKey, add_to_counters, lock_counters


class Difference(NamedTuple):
	"""A counter that does not equal the log's events plus the cleared ones."""

	what: CounterKey
	kept: int
	counted: int


def find_differences() -> list[Difference]:
	"""Return every wrong counter. There is none unless the tables were changed by hand."""
	kept, counted = _read_kept(), _read_counted()
	return [
		Difference(what, kept[what], counted[what])
		for what in sorted({*kept, *counted})
		if kept[what] != counted[what]
	]


def correct_counters() -> int:
	"""Correct all counters, those of links included; return how many were wrong. The caller commits."""
	lock_counters()
	differences = find_differences()
	add_to_counters({one.what: one.counted - one.kept for one in differences}, "total")
	return len(differences) + _correct_urls()


def find_wrong_urls() -> dict[str, tuple[int, int]]:
	"""Return the links whose clicks do not equal the counters, with the correct (human, all) clicks.

	Call it when every event is counted.
	"""
	right: dict[str, list[int]] = {}
	figure = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(figure).select(figure.tracking_url, figure.is_bot, Sum(figure.total))
	query = query.where(figure.tracking_url.isnotnull()).groupby(figure.tracking_url, figure.is_bot)
	for url, is_bot, total in query.run():
		sums = right.setdefault(url, [0, 0])
		sums[0] += 0 if is_bot else int(total)
		sums[1] += int(total)
	rows = frappe.get_all("Drip Tracking URL", fields=["name", "human_clicks", "clicks"])
	return {
		row.name: tuple(right.get(row.name, (0, 0)))
		for row in rows
		if [row.human_clicks, row.clicks] != right.get(row.name, [0, 0])
	}


def _correct_urls() -> int:
	if frappe.db.count("Drip Event", {"is_counted": 0}):
		return 0
	wrong = find_wrong_urls()
	set_each(
		"Drip Tracking URL",
		("name", "human_clicks", "clicks"),
		[(name, *sums) for name, sums in wrong.items()],
	)
	return len(wrong)


def _read_kept() -> Counter:
	kept: Counter = Counter()
	for row in frappe.get_all(DOCTYPE, fields=[*DIMENSIONS, "total", "cleared"]):
		kept[CounterKey.of(row)] += row.total - row.cleared
	return kept


def _read_counted() -> Counter:
	event = frappe.qb.DocType("Drip Event")
	fields = [event[name] for name in DIMENSIONS]
	query = frappe.qb.from_(event).select(*fields, Count("*").as_("number")).where(event.is_counted == 1)
	counted: Counter = Counter()
	for row in query.groupby(*fields).run(as_dict=True):
		counted[CounterKey.of(row)] += row.number
	return Counter({what: number for what, number in counted.items() if what.is_kept})
