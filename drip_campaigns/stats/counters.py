"""How often what has happened, kept beside the log: a campaign's form adds up a few rows, however many events there are.

Events are counted a little later, in batches, by one worker at a time: whoever writes an event waits for no sum. An
event is counted in the transaction that marks it, so the sums always equal the marked events and those cleared.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import frappe
from frappe.query_builder.functions import Count, Sum

from drip_campaigns.db.dialect import insert_rows, is_among, update_rows
from drip_campaigns.site.row_names import new_name

DOCTYPE = "Drip Counter"
BATCH = 10_000
BATCHES_A_RUN = 200
DIMENSIONS = ("campaign", "step", "event_type", "is_bot", "tracking_url")


class CounterKey(NamedTuple):
	"""What a sum is of. Empty means none."""

	campaign: str
	step: str
	event_type: str
	is_bot: int
	tracking_url: str

	@classmethod
	def of(cls, row: Mapping) -> "CounterKey":
		"""Return what an event, or a Drip Counter, is of."""
		return cls(*((row[name] or 0) if name == "is_bot" else (row[name] or "") for name in DIMENSIONS))

	@property
	def is_kept(self) -> bool:
		"""Say whether anybody asks for it: what belongs to no campaign and no link is not summed up."""
		return bool(self.campaign or self.tracking_url)


def count_next() -> int:
	"""Add events that are not counted yet to the sums, at most a batch, and mark them; return how many.

	The caller commits. It begins with a lock: what is read after it is not older than what another worker has counted.
	"""
	lock()
	event = frappe.qb.DocType("Drip Event")
	query = frappe.qb.from_(event).select(event.name, *(event[name] for name in DIMENSIONS))
	rows = query.where(event.is_counted == 0).limit(BATCH).run(as_dict=True)
	if rows:
		_count(rows)
	return len(rows)


def keep_without(column: str, values: Sequence[str]) -> None:
	"""Let the sums outlive events that are about to be deleted: those whose `column` is one of `values`."""
	if not values:
		return
	lock()
	event = frappe.qb.DocType("Drip Event")
	query = frappe.qb.from_(event).select(event.name, event.is_counted, *(event[name] for name in DIMENSIONS))
	rows = query.where(is_among(event[column], values)).for_update().run(as_dict=True)
	if uncounted := [row for row in rows if not row.is_counted]:
		_count(uncounted)
	add(Counter(map(CounterKey.of, rows)), "cleared")


def read_totals(campaign: str) -> dict[tuple[str, str, int], int]:
	"""Return how often what has happened in a campaign, by step, event and whether by a machine; up to this moment."""
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
	"""Return how often persons did, or were sent, what: by campaign and event, up to this moment, for many campaigns at once."""
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
	"""Remove the sums of a campaign that is deleted; those of links stay, for the links do."""
	frappe.db.delete(DOCTYPE, {"campaign": campaign, "tracking_url": ["is", "not set"]})
	frappe.db.set_value(
		DOCTYPE, {"campaign": campaign}, {"campaign": None, "step": None}, update_modified=False
	)


def _count(rows: Sequence[frappe._dict]) -> None:
	add(Counter(map(CounterKey.of, rows)), "total")
	event = frappe.qb.DocType("Drip Event")
	names = [row.name for row in rows]
	frappe.qb.update(event).set(event.is_counted, 1).where(is_among(event.name, names)).run()


def add(sums: Mapping[CounterKey, int], field: str) -> None:
	"""Add to the sums, with the lock held; make those that are missing."""
	sums = {what: number for what, number in sums.items() if what.is_kept}
	if not sums:
		return
	rows = load({what.campaign for what in sums}, {what.tracking_url for what in sums})
	known = {CounterKey.of(row): row for row in reversed(rows)}
	update_rows(
		DOCTYPE,
		("name", field),
		[(known[w].name, known[w][field] + n) for w, n in sums.items() if w in known],
	)
	new = [
		(new_name(), *what, number if field == "total" else 0, number if field == "cleared" else 0)
		for what, number in sums.items()
		if what not in known
	]
	insert_rows(DOCTYPE, ("name", *DIMENSIONS, "total", "cleared"), [_with_nulls(row) for row in new])


def _with_nulls(row: Sequence) -> list:
	return [None if value == "" else value for value in row]


def load(campaigns: set[str], urls: set[str]) -> list[frappe._dict]:
	"""Return, as they are now, the Drip Figures of these campaigns, and of these links what belongs to no campaign any more."""
	figure = frappe.qb.DocType(DOCTYPE)
	of_campaign = is_among(figure.campaign, sorted(campaigns | {""}))
	of_url = figure.campaign.isnull() & is_among(figure.tracking_url, sorted(urls | {""}))
	query = frappe.qb.from_(figure).select(
		figure.name, figure.total, figure.cleared, *(figure[n] for n in DIMENSIONS)
	)
	return query.where(of_campaign | of_url).orderby(figure.name).for_update().run(as_dict=True)


def lock() -> None:
	"""Let one worker at a time change the sums: the lock is the DocType's own row, which nobody else needs."""
	doctype = frappe.qb.DocType("DocType")
	frappe.qb.from_(doctype).select(doctype.name).where(doctype.name == DOCTYPE).for_update().run()
