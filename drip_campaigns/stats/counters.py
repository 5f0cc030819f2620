"""Counters of the log's events: a campaign's form adds up a few rows, however many events there are.

One worker at a time counts events later, in batches, so that writing an event never waits. The transaction that counts
an event also marks it. The counters therefore always equal the marked events plus the cleared ones.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import frappe
from frappe.query_builder.functions import Count, Sum

from drip_campaigns.db.bulk_writes import insert_records, set_where
from drip_campaigns.db.dialect import is_among, update_rows
from drip_campaigns.db.single_writes import write_values
from drip_campaigns.site.row_names import new_name

DOCTYPE = "Drip Counter"
BATCH = 10_000
BATCHES_A_RUN = 200
DIMENSIONS = ("campaign", "step", "event_type", "is_bot", "tracking_url")


class CounterKey(NamedTuple):
	"""What a counter counts. Empty means none."""

	campaign: str
	step: str
	event_type: str
	is_bot: int
	tracking_url: str

	@classmethod
	def of(cls, row: Mapping) -> "CounterKey":
		"""Return the key of an event or a Drip Counter."""
		return cls(*((row[name] or 0) if name == "is_bot" else (row[name] or "") for name in DIMENSIONS))

	@property
	def is_kept(self) -> bool:
		"""Return whether it is counted: only what belongs to a campaign or a link is."""
		return bool(self.campaign or self.tracking_url)


def count_next() -> int:
	"""Count and mark a batch of uncounted events; return their number.

	The caller commits. A lock comes first, so that the counters that are read include what another worker has counted.
	"""
	lock_counters()
	event = frappe.qb.DocType("Drip Event")
	query = frappe.qb.from_(event).select(event.name, *(event[name] for name in DIMENSIONS))
	rows = query.where(event.is_counted == 0).limit(BATCH).run(as_dict=True)
	if rows:
		_count(rows)
	return len(rows)


def keep_totals_without(column: str, values: Sequence[str]) -> None:
	"""Count and clear the events whose `column` is one of `values`, before the caller deletes them."""
	if not values:
		return
	lock_counters()
	event = frappe.qb.DocType("Drip Event")
	query = frappe.qb.from_(event).select(event.name, event.is_counted, *(event[name] for name in DIMENSIONS))
	rows = query.where(is_among(event[column], values)).for_update().run(as_dict=True)
	if uncounted := [row for row in rows if not row.is_counted]:
		_count(uncounted)
	add_to_counters(Counter(map(CounterKey.of, rows)), "cleared")


def read_totals(campaign: str) -> dict[tuple[str, str, int], int]:
	"""Return a campaign's totals by step, event type, and is_bot, including events not counted yet."""
	figure, event = frappe.qb.DocType(DOCTYPE), frappe.qb.DocType("Drip Event")
	kept = frappe.qb.from_(figure).select(figure.step, figure.event_type, figure.is_bot, figure.total)
	totals: Counter = Counter()
	for step, event_type, is_bot, total in kept.where(figure.campaign == campaign).run():
		totals[step or "", event_type, is_bot] += total
	fresh = frappe.qb.from_(event).select(event.step, event.event_type, event.is_bot, Count("*"))
	fresh = fresh.where((event.is_counted == 0) & (event.campaign == campaign))
	for step, event_type, is_bot, total in fresh.groupby(event.step, event.event_type, event.is_bot).run():
		totals[step or "", event_type, is_bot] += total
	return dict(totals)


def read_sums(campaigns: Sequence[str]) -> dict[tuple[str, str], int]:
	"""Return the totals without bots by campaign and event type, including events not counted yet."""
	figure, event = frappe.qb.DocType(DOCTYPE), frappe.qb.DocType("Drip Event")
	kept = frappe.qb.from_(figure).select(figure.campaign, figure.event_type, Sum(figure.total))
	kept = kept.where(is_among(figure.campaign, campaigns) & (figure.is_bot == 0))
	fresh = frappe.qb.from_(event).select(event.campaign, event.event_type, Count("*"))
	fresh = fresh.where((event.is_counted == 0) & is_among(event.campaign, campaigns) & (event.is_bot == 0))
	sums: Counter = Counter()
	for rows in (
		kept.groupby(figure.campaign, figure.event_type).run(),
		fresh.groupby(event.campaign, event.event_type).run(),
	):
		for campaign, event_type, total in rows:
			sums[campaign, event_type] += int(total)
	return dict(sums)


def delete_campaign_counters(campaign: str) -> None:
	"""Delete the counters of a deleted campaign. Counters of links stay, as the links do."""
	frappe.db.delete(DOCTYPE, {"campaign": campaign, "tracking_url": ["is", "not set"]})
	write_values(DOCTYPE, {"campaign": campaign}, {"campaign": None, "step": None}, update_modified=False)


def _count(rows: Sequence[frappe._dict]) -> None:
	add_to_counters(Counter(map(CounterKey.of, rows)), "total")
	names = [row.name for row in rows]
	set_where("Drip Event", is_among(frappe.qb.DocType("Drip Event").name, names), {"is_counted": 1})


def add_to_counters(sums: Mapping[CounterKey, int], field: str) -> None:
	"""Add to the counters, and create the missing ones. The caller holds the lock."""
	sums = {what: number for what, number in sums.items() if what.is_kept}
	if not sums:
		return
	rows = load_counters({what.campaign for what in sums}, {what.tracking_url for what in sums})
	known = {CounterKey.of(row): row for row in reversed(rows)}
	update_rows(
		DOCTYPE,
		("name", field),
		[(known[w].name, known[w][field] + n) for w, n in sums.items() if w in known],
	)
	new = [
		{"name": new_name(), **_dimensions(what), "total": 0, "cleared": 0, field: number}
		for what, number in sums.items()
		if what not in known
	]
	insert_records(DOCTYPE, new)


def _dimensions(what: CounterKey) -> dict[str, Any]:
	return {name: None if value == "" else value for name, value in what._asdict().items()}


def load_counters(campaigns: set[str], urls: set[str]) -> list[frappe._dict]:
	"""Return and lock the Drip Counters of these campaigns, and those of these links without a campaign."""
	figure = frappe.qb.DocType(DOCTYPE)
	of_campaign = is_among(figure.campaign, sorted(campaigns | {""}))
	of_url = figure.campaign.isnull() & is_among(figure.tracking_url, sorted(urls | {""}))
	query = frappe.qb.from_(figure).select(
		figure.name, figure.total, figure.cleared, *(figure[n] for n in DIMENSIONS)
	)
	return query.where(of_campaign | of_url).orderby(figure.name).for_update().run(as_dict=True)


def lock_counters() -> None:
	"""Lock the counters for one worker at a time. The lock is the DocType's own row, which nothing else locks."""
	doctype = frappe.qb.DocType("DocType")
	frappe.qb.from_(doctype).select(doctype.name).where(doctype.name == DOCTYPE).for_update().run()
