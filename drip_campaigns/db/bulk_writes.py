"""Insert, change, or delete many rows in one statement. Nothing here commits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe
from pypika.terms import Criterion, Term

from drip_campaigns.db import doc_event_queue
from drip_campaigns.db.dialect import by_name, insert_new_rows, insert_rows, is_among
from drip_campaigns.db.field_values import clean_rows, clean_values


def standard_values(user: str, site_now: datetime) -> dict[str, Any]:
	"""Return the standard columns of a new row, except its name."""
	return {"owner": user, "creation": site_now, "modified": site_now, "modified_by": user}


def insert_records(
	doctype: str, records: Sequence[Mapping[str, Any]], *, keep_existing: bool = False
) -> None:
	"""Insert records, which all have the same keys: these are the columns.

	A name that exists raises; with `keep_existing` the existing row stays as it is.
	"""
	if not records:
		return
	columns = ("name", *(column for column in records[0] if column != "name"))
	rows = by_name([[record[column] for column in columns] for record in records])
	(insert_new_rows if keep_existing else insert_rows)(doctype, columns, rows)


def set_values(
	doctype: str, names: Sequence[str], values: Mapping[str, Any], site_now: datetime, key: str = "name"
) -> None:
	"""Set the same values on many records in one statement."""
	if not names:
		return
	if key == "name":
		doc_event_queue.record_changes(doctype, names)
	field = frappe.qb.DocType(doctype)[key]
	set_where(doctype, is_among(field, names), {"modified": site_now, **values})


def set_where(doctype: str, condition: Criterion, values: Mapping[str, Any]) -> None:
	"""Set the same values on all records that match; a value may be an expression of the query builder."""
	plain = {field: value for field, value in values.items() if not isinstance(value, Term)}
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.update(table).where(condition)
	for field, value in {**values, **clean_values(doctype, plain)}.items():
		query = query.set(table[field], value)
	query.run()


def set_each(doctype: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
	"""Set different values on many records in one statement; the first column is `name`. Skips records that were deleted."""
	rows = clean_rows(doctype, columns, list(rows))
	if not rows:
		return
	doc_event_queue.record_changes(doctype, [row[0] for row in rows])
	cases, values = [], []
	for index, column in enumerate(columns[1:], 1):
		cases.append(f"`{column}` = CASE name {'WHEN %s THEN %s ' * len(rows)}END")
		values += [value for row in rows for value in (row[0], row[index])]
	names = ", ".join(["%s"] * len(rows))
	# Raw, because the query builder writes the values of a CASE into the statement without escaping them.
	frappe.db.sql(
		f"UPDATE `tab{doctype}` SET {', '.join(cases)} WHERE name IN ({names})",  # nosec B608 # names of DocTypes and columns from code; values are parameters
		values + [row[0] for row in rows],
	)


def delete_rows(doctype: str, names: Sequence[str], key: str = "name") -> None:
	"""Delete many records in one statement, without their controllers: only for rows that this app wrote."""
	if names:
		frappe.db.delete(doctype, {key: ["in", list(names)]})
