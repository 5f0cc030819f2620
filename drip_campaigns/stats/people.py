"""Count people instead of events: rank each event by whether its person did the same before.

A person is one enrollment: one recipient in one campaign. With one email they count once, however often they open it, and
in the whole campaign they count once, however many of its emails they open. What is recorded without a name, and what a
bot did, counts nobody. docs/guide/results.md defines the figures for users.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum

import frappe

from drip_campaigns.core.model import EventType
from drip_campaigns.db.dialect import is_among

KINDS = frozenset(
	kind.value
	for kind in (
		*(EventType.SENT, EventType.OPENED, EventType.CLICKED, EventType.REPLIED),
		*(EventType.BOUNCED, EventType.UNSUBSCRIBED),
	)
)


class PersonRank(IntEnum):
	"""Whom an event counts. Stored on Drip Events and Drip Counters."""

	NOBODY = 0  # an unknown person, a bot, or a kind of event that counts no people
	KNOWN = 1  # a person who is counted with this email already
	NEW_WITH_EMAIL = 2  # a person's first event of its kind with this email
	NEW_IN_CAMPAIGN = 3  # a person's first event of its kind in the campaign


def rank_events(rows: Sequence[Mapping]) -> list[PersonRank]:
	"""Return the rank of each event, in their order: one query, however many events.

	Each row has campaign, enrollment, step, event_type, and is_bot. Events that are counted already come before these.
	"""
	with_step, in_campaign = _find_counted({row["enrollment"] for row in rows if _counts_people(row)})
	ranks = []
	for row in rows:
		if not _counts_people(row):
			ranks.append(PersonRank.NOBODY)
			continue
		person = (row["enrollment"], row["event_type"])
		email = (*person, row["step"] or "")
		if person not in in_campaign:
			ranks.append(PersonRank.NEW_IN_CAMPAIGN)
		else:
			ranks.append(PersonRank.KNOWN if email in with_step else PersonRank.NEW_WITH_EMAIL)
		in_campaign.add(person)
		with_step.add(email)
	return ranks


def count_people(totals: Mapping[tuple, int], step: str | None, event: EventType) -> int:
	"""Return how many people did this with the email of `step`; None means with any email of the campaign.

	`totals` is what `counters.read_totals` returns.
	"""
	least = PersonRank.NEW_IN_CAMPAIGN if step is None else PersonRank.NEW_WITH_EMAIL
	return _sum(totals, step, event, lambda rank, is_bot: rank >= least and not is_bot)


def count_events(
	totals: Mapping[tuple, int], step: str | None, event: EventType, *, bots: bool = False
) -> int:
	"""Return how many events there were at a step (None: in the campaign), of people and the unnamed, or of bots."""
	return _sum(totals, step, event, lambda _rank, is_bot: bool(is_bot) is bots)


def count_unnamed(totals: Mapping[tuple, int], step: str | None, event: EventType) -> int:
	"""Return how many events there were that name nobody, without those of bots."""
	return _sum(totals, step, event, lambda rank, is_bot: rank == PersonRank.NOBODY and not is_bot)


def _sum(totals: Mapping[tuple, int], step: str | None, event: EventType, is_wanted) -> int:
	return sum(
		number
		for (where, kind, is_bot, rank), number in totals.items()
		if kind == event.value and step in (None, where) and is_wanted(rank, is_bot)
	)


def _counts_people(row: Mapping) -> bool:
	return bool(row["enrollment"]) and row["event_type"] in KINDS and not row["is_bot"]


def _find_counted(enrollments: Iterable[str]) -> tuple[set[tuple], set[tuple]]:
	"""Return who is counted already: with which email, and in the campaign at all."""
	names = sorted(enrollments)
	if not names:
		return set(), set()
	event = frappe.qb.DocType("Drip Event")
	query = frappe.qb.from_(event).select(event.enrollment, event.event_type, event.step)
	is_counted = (event.is_counted == 1) & (event.person_rank >= PersonRank.NEW_WITH_EMAIL.value)
	rows = query.where(is_among(event.enrollment, names) & is_counted).run()
	with_step = {(enrollment, kind, step or "") for enrollment, kind, step in rows}
	return with_step, {(enrollment, kind) for enrollment, kind, _step in rows}


def group_by_rank(names: Sequence[str], ranks: Sequence[PersonRank]) -> dict[PersonRank, list[str]]:
	"""Return the names of the events of each rank."""
	groups: dict[PersonRank, list[str]] = {}
	for name, rank in zip(names, ranks, strict=True):
		groups.setdefault(rank, []).append(name)
	return groups


def rank_groups(groups: Sequence[Mapping]) -> Counter:
	"""Return the totals by (campaign, step, event_type, is_bot, rank) of groups of equal events with their `number`."""
	totals: Counter = Counter()
	for row, rank in zip(groups, rank_events(groups), strict=True):
		what = (row["campaign"], row["step"] or "", row["event_type"], row["is_bot"])
		totals[(*what, int(rank))] += 1
		# The first of a group's equal events is the person's first; the others come after it.
		totals[(*what, int(min(rank, PersonRank.KNOWN)))] += row["number"] - 1
	return +totals
