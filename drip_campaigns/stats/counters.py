"""Counters of the log's events: a campaign's form adds up a few rows, however many events there are.

One worker at a time counts events later, in batches, so that writing an event never waits. The transaction that counts
an event also marks it. The counters therefore always equal the marked events plus the cleared ones.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Sum

from drip_campaigns.db.bulk_writes import insert_records, set_where
from drip_campaigns.db.dialect import is_among, update_rows
from drip_campaigns.db.single_writes import write_values
from drip_campaigns.site.row_names import new_name
from drip_campaigns.stats import people

DOCTYPE = "Drip Counter"
BATCH = 10_000
BATCHES_A_RUN = 200
DIMENSIONS = ("campaign", "step", "event_type", "is_bot", "tracking_url", "person_rank")
_NUMBERS = frozenset({"is_bot", "person_rank"})


class CounterKey(NamedTuple):
	"""What a counter counts. Empty means none."""

	campaign: str
	step: str
	event_type: str
	is_bot: int
	tracking_url: str
	person_rank: int  # a PersonRank: whether the event counts a person, with the email or in the campaign

	@classmethod
	def of(cls, row: Mapping) -> "CounterKey":
		"""Return the key of an event or a Drip Counter."""
		return cls(*((row[name] or 0) if name in _NUMBERS else (row[name] or "") for name in DIMENSIONS))

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
	query = frappe.qb.from_(event).select(event.name, event.enrollment, *(event[name] for name in DIMENSIONS))
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
	query = frappe.qb.from_(event).select(event.name, event.enrollment, event.is_counted)
	query = query.select(*(event[name] for name in DIMENSIONS))
	rows = query.where(is_among(event[column], values)).for_update().run(as_dict=True)
	if uncounted := [row for row in rows if not row.is_counted]:
		_count(uncounted)
	add_to_counters(Counter(map(CounterKey.of, rows)), "cleared")


def read_totals(campaigns: Sequence[str]) -> dict[str, Counter]:
	"""Return each campaign's totals by (step, event type, is_bot, person_rank), including events not counted yet."""
	totals: dict[str, Counter] = {campaign: Counter() for campaign in campaigns}
	for (campaign, *what), number in (_read_kept(campaigns) + _read_fresh(campaigns)).items():
		totals[campaign][tuple(what)] += number
	return totals


def _read_kept(campaigns: Sequence[str]) -> Counter:
	figure = frappe.qb.DocType(DOCTYPE)
	what = [figure.campaign, figure.step, figure.event_type, figure.is_bot, figure.person_rank]
	query = (
		frappe.qb.from_(figure).select(*what, Sum(figure.total)).where(is_among(figure.campaign, campaigns))
	)
	totals: Counter = Counter()
	for campaign, step, event_type, is_bot, rank, total in query.groupby(*what).run():
		totals[campaign, step or "", event_type, is_bot, rank] += int(total)
	return totals


def _read_fresh(campaigns: Sequence[str]) -> Counter:
	event = frappe.qb.DocType("Drip Event")
	what = [event.campaign, event.step, event.event_type, event.is_bot]
	query = frappe.qb.from_(event).where((event.is_counted == 0) & is_among(event.campaign, campaigns))
	# The database adds up what names nobody. Each person needs a row, to be recognized.
	of_people = (
		event.event_type.isin(sorted(people.KINDS)) & (event.is_bot == 0) & event.enrollment.isnotnull()
	)
	person = Case().when(of_people, event.enrollment).else_(None).as_("person")
	groups = query.select(*what, person, Count("*").as_("number")).groupby(*what, person).run(as_dict=True)
	return people.rank_groups([{**group, "enrollment": group.person} for group in groups])


def delete_campaign_counters(campaign: str) -> None:
	"""Delete the counters of a deleted campaign. Counters of links stay, as the links do."""
	frappe.db.delete(DOCTYPE, {"campaign": campaign, "tracking_url": ["is", "not set"]})
	write_values(DOCTYPE, {"campaign": campaign}, {"campaign": None, "step": None}, update_modified=False)


def _count(rows: Sequence[frappe._dict]) -> None:
	ranks = people.rank_events(rows)
	for row, rank in zip(rows, ranks, strict=True):
		row.person_rank = int(rank)
	add_to_counters(Counter(map(CounterKey.of, rows)), "total")
	event = frappe.qb.DocType("Drip Event")
	for rank, names in people.group_by_rank([row.name for row in rows], ranks).items():
		set_where("Drip Event", is_among(event.name, names), {"is_counted": 1, "person_rank": int(rank)})


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
