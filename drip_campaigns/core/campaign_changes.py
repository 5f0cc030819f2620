"""What an edit changes in a campaign, field by field, and how it is applied to the campaign as it is now. Values only.

A campaign is a `Snapshot`: its own fields, and its tables, each a dictionary from the row's name to the row's fields,
in the order of the rows. Values are texts, numbers, and None, as JSON keeps them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

MOST_WORDS_COMPARED = 4000  # comparing takes time by the square of the number of words

Row = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
	"""A campaign's own fields, and its tables of rows by name, in their order."""

	fields: Row
	tables: dict[str, dict[str, Row]]


class ChangeKind(Enum):
	"""What a change does."""

	SET = "set"  # a field of the campaign or of a row gets another value
	ADD = "add"  # a row is added
	REMOVE = "remove"  # a row is removed
	ORDER = "order"  # the rows of a table get another order; the values are lists of names


@dataclass(frozen=True)
class Change:
	"""One change; `table` and `row` are empty for a field of the campaign itself."""

	kind: ChangeKind
	table: str = ""
	row: str = ""
	field: str = ""
	old: Any = None
	new: Any = None


@dataclass(frozen=True)
class Conflict:
	"""A change whose place has another value `now` than it had when the change was made; None if it is gone."""

	change: Change
	now: Any


@dataclass
class Applied:
	"""A campaign with changes applied, and the changes that conflict with it and were not applied."""

	snapshot: Snapshot
	conflicts: list[Conflict] = field(default_factory=list)


def find_changes(before: Snapshot, after: Snapshot) -> list[Change]:
	"""Return what turns `before` into `after`; both have the same fields and tables."""
	own = [
		Change(ChangeKind.SET, field=name, old=before.fields[name], new=value)
		for name, value in after.fields.items()
		if value != before.fields[name]
	]
	return own + [
		change for name, rows in after.tables.items() for change in _in_table(name, before.tables[name], rows)
	]


def apply_changes(snapshot: Snapshot, changes: list[Change]) -> Applied:
	"""Return a copy of `snapshot` with the changes applied. A change that is there already is no conflict."""
	tables = {
		name: {row: dict(values) for row, values in rows.items()} for name, rows in snapshot.tables.items()
	}
	copy = Snapshot(dict(snapshot.fields), tables)
	orders = {name: list(rows) for name, rows in snapshot.tables.items()}
	done = Applied(copy)
	for change in changes:
		conflict = _apply(copy, change, orders)
		if conflict:
			done.conflicts.append(conflict)
	return done


def to_json(change: Change) -> dict[str, Any]:
	"""Return a change as JSON keeps it."""
	return {**vars(change), "kind": change.kind.value}


def from_json(values: dict[str, Any]) -> Change:
	"""Return the change that `to_json` returned."""
	return Change(**{**values, "kind": ChangeKind(values["kind"])})


def compare_words(old: str, new: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
	"""Return both texts in pieces, each with whether only this text has it. Very long texts are one piece."""
	one, other = (re.findall(r"\w+|\s+|[^\w\s]", text) for text in (old, new))
	if len(one) + len(other) > MOST_WORDS_COMPARED:
		return [(old, True)], [(new, True)]
	left: list[tuple[str, bool]] = []
	right: list[tuple[str, bool]] = []
	for tag, i, j, k, m in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
		differs = tag != "equal"
		left += [("".join(one[i:j]), differs)] if j > i else []
		right += [("".join(other[k:m]), differs)] if m > k else []
	return left, right


def _in_table(table: str, before: dict[str, Row], after: dict[str, Row]) -> Iterator[Change]:
	for row, values in before.items():
		if row not in after:
			yield Change(ChangeKind.REMOVE, table, row, old=values)
	for row, values in after.items():
		if row not in before:
			yield Change(ChangeKind.ADD, table, row, new=values)
			continue
		for name, value in values.items():
			if value != before[row][name]:
				yield Change(ChangeKind.SET, table, row, name, before[row][name], value)
	kept = [row for row in before if row in after]
	if list(after) != kept + [row for row in after if row not in before]:
		yield Change(ChangeKind.ORDER, table, old=list(before), new=list(after))


def _apply(copy: Snapshot, change: Change, orders: dict[str, list[str]]) -> Conflict | None:
	"""Apply one change to `copy`; return the conflict if its place has another value now."""
	if change.kind is ChangeKind.SET and not change.table:
		return _set(copy.fields, change)
	rows = copy.tables[change.table]
	if change.kind is ChangeKind.ADD:
		rows.setdefault(change.row, dict(change.new))
		return None
	if change.kind is ChangeKind.ORDER:
		return _order(copy, change, orders[change.table])
	if change.row not in rows:
		return None if change.kind is ChangeKind.REMOVE else Conflict(change, None)
	if change.kind is ChangeKind.SET:
		return _set(rows[change.row], change)
	if rows[change.row] != change.old:
		return Conflict(change, rows[change.row])
	del rows[change.row]
	return None


def _set(values: Row, change: Change) -> Conflict | None:
	now = values.get(change.field)
	if now == change.new:
		return None
	if now != change.old:
		return Conflict(change, now)
	values[change.field] = change.new
	return None


def _order(copy: Snapshot, change: Change, order: list[str]) -> Conflict | None:
	rows = copy.tables[change.table]
	if order != change.old:
		return Conflict(change, order)
	wanted = [row for row in change.new if row in rows] + [row for row in rows if row not in change.new]
	copy.tables[change.table] = {row: rows[row] for row in wanted}
	return None


def merge_changes(earlier: list[Change], later: list[Change]) -> list[Change]:
	"""Return two lists made against the same campaign as one: a later change replaces an earlier one of its place."""
	places = {(change.table, change.row, change.field): change for change in earlier}
	for change in later:
		place = (change.table, change.row, change.field)
		if change.kind is ChangeKind.REMOVE:  # what was changed in the row is gone with it
			places = {key: one for key, one in places.items() if key[:2] != place[:2]}
		elif change.row:  # the row was not removed after all
			places.pop((change.table, change.row, ""), None)
		first = places.get(place)
		places[place] = replace(change, old=first.old) if first and first.kind is change.kind else change
	return list(places.values())
