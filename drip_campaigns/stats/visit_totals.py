"""Totals of opens and clicks on emails and links, in one or two statements per batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import frappe

from drip_campaigns.core.tracking.visits import VisitKind
from drip_campaigns.db.dialect import is_among, update_rows

_MAIL_COLUMNS = (
	*("name", "modified", "opens", "human_opens", "clicks", "human_clicks"),
	*("first_opened_at", "first_clicked_at"),
)
_ALL = {VisitKind.OPEN: "opens", VisitKind.CLICK: "clicks"}
_FIRST = {VisitKind.OPEN: "first_opened_at", VisitKind.CLICK: "first_clicked_at"}


@dataclass(frozen=True)
class Total:
	"""One visit, to be added to the record with this name."""

	name: str
	kind: VisitKind
	is_bot: bool
	site_at: datetime


def add_to_emails(totals: Sequence[Total], site_now: datetime) -> None:
	"""Add visits to their Drip Emails, and record the time of a person's first open or click."""
	if not totals:
		return
	rows = {row.name: row for row in _lock("Drip Email", {total.name for total in totals}, _MAIL_COLUMNS)}
	for total in totals:
		if row := rows.get(total.name):
			_add(row, total)
			if not total.is_bot:
				first = _FIRST[total.kind]
				row[first] = min(row[first] or total.site_at, total.site_at)
	for row in rows.values():
		row.modified = site_now
	_write("Drip Email", _MAIL_COLUMNS, rows)


def add_to_urls(totals: Sequence[Total]) -> None:
	"""Add clicks to their Tracking URLs."""
	if not totals:
		return
	columns = ("name", "clicks", "human_clicks")
	rows = {row.name: row for row in _lock("Drip Tracking URL", {total.name for total in totals}, columns)}
	for total in totals:
		if row := rows.get(total.name):
			_add(row, total)
	_write("Drip Tracking URL", columns, rows)


def _add(row: frappe._dict, total: Total) -> None:
	field = _ALL[total.kind]
	row[field] += 1
	if not total.is_bot:
		row[f"human_{field}"] += 1


def _lock(doctype: str, names: set[str], columns: Sequence[str]) -> list[frappe._dict]:
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.from_(table).select(*(table[column] for column in columns))
	return query.where(is_among(table.name, sorted(names))).orderby(table.name).for_update().run(as_dict=True)


def _write(doctype: str, columns: Sequence[str], rows: dict[str, frappe._dict]) -> None:
	update_rows(doctype, columns, [[row[column] for column in columns] for row in rows.values()])
