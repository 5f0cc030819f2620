"""SQL that depends on the database: MariaDB first, PostgreSQL kept possible. No other module has any."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from operator import itemgetter
from typing import Any

import frappe
from pypika.queries import QueryBuilder
from pypika.terms import ContainsCriterion, Criterion, Field, Term

from drip_campaigns.db.field_values import clean_rows

Row = Sequence[Any]
_TEXT = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_ESCAPED = re.compile(r"\\.|%", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9_@.:+\- ]{0,200}")

# Keeps a statement below MariaDB's default max_allowed_packet of 16 MiB, escapes included
STATEMENT_CHARACTERS = 4_000_000


class _Names(Term):
	"""A list of names as one parameter: the driver writes a tuple in a tenth of the query builder's time."""

	def __init__(self, names: Iterable[str]) -> None:
		super().__init__()
		self.names = tuple(names)

	def get_sql(self, param_wrapper: Any, **_options: Any) -> str:
		return param_wrapper.get_sql(param_value=self.names)


def is_among(field: Field, names: Iterable[str]) -> Criterion:
	"""Return the condition that `field` is one of `names`, which may be many but must not be empty."""
	return ContainsCriterion(field, _Names(names))


def hide_percent_signs(sql: str) -> str:
	"""Return a condition whose texts contain no %: a driver reads it as a placeholder, but only if there are parameters."""
	return _TEXT.sub(lambda text: _split_at_percent(text[0]), sql) if "%" in sql else sql


def _split_at_percent(text: str) -> str:
	sign = "CHR(37)" if frappe.db.db_type == "postgres" else "CHAR(37 USING utf8mb4)"
	ends = {"%": f"', {sign}, '", "\\%": f"\\\\', {sign}, '"}  # MariaDB reads \\% as these two characters
	return f"CONCAT({_ESCAPED.sub(lambda one: ends.get(one[0], one[0]), text)})" if "%" in text else text


def by_name(rows: Sequence[Row]) -> list[Row]:
	"""Return rows in the order of their names (the first value), so that the database fills one page after the other."""
	return sorted(rows, key=itemgetter(0))


def insert_rows(doctype: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
	"""Insert `rows` in as few statements as the server's packet size allows. A duplicate key raises."""
	for chunk in _chunks(clean_rows(doctype, columns, rows)):
		frappe.db.sql(*_insert_statement(doctype, columns, chunk))


def insert_new_rows(doctype: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
	"""Insert the rows whose name does not exist yet; do not change the others."""
	is_postgres = frappe.db.db_type == "postgres"
	for chunk in _chunks(clean_rows(doctype, columns, rows)):
		statement, values = _insert_statement(doctype, columns, chunk)
		if is_postgres:
			statement += " ON CONFLICT (name) DO NOTHING"
		else:
			# Not INSERT IGNORE, which would also truncate a value that is too long for its column
			statement += " ON DUPLICATE KEY UPDATE `name` = VALUES(`name`)"
		frappe.db.sql(statement, values)


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
	if rows and sum(map(_count_characters, zip(*rows, strict=True))) <= STATEMENT_CHARACTERS:
		yield rows  # nearly always; row by row takes ten times as long
		return
	chunk, size = [], 0
	for row in rows:
		row_size = _count_characters(row)
		if chunk and size + row_size > STATEMENT_CHARACTERS:
			yield chunk
			chunk, size = [], 0
		chunk.append(row)
		size += row_size
	if chunk:
		yield chunk


def _count_characters(values: Sequence[Any]) -> int:
	return sum(map(len, [value for value in values if type(value) is str]))


def update_rows(doctype: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
	"""Set `columns` of existing records in one statement; the first column is `name`.

	The caller has locked the rows: MariaDB's statement would insert a name that does not exist.
	"""
	if not rows:
		return
	rows = clean_rows(doctype, columns, rows)
	if frappe.db.db_type == "postgres":
		frappe.db.sql(*_update_from_values(doctype, columns, rows))
	else:
		statement, values = _insert_statement(doctype, columns, rows)
		sets = ", ".join(f"`{column}` = VALUES(`{column}`)" for column in columns[1:])
		frappe.db.sql(f"{statement} ON DUPLICATE KEY UPDATE {sets}", values)


def _insert_statement(doctype: str, columns: Sequence[str], rows: Sequence[Row]) -> tuple[str, list]:
	"""Build an INSERT; a plain value that is the same in all rows becomes part of the statement, unescaped."""
	fields, varying = [], []
	for column in zip(*rows, strict=True):
		literal = _as_literal(column[0]) if column.count(column[0]) == len(column) else None
		fields.append(literal or "%s")
		if literal is None:
			varying.append(column)
	names, one = ", ".join(f"`{column}`" for column in columns), f"({','.join(fields)})"
	lines = ",".join([one] * len(rows))
	values = list(chain.from_iterable(zip(*varying, strict=True)))
	return f"INSERT INTO `tab{doctype}` ({names}) VALUES {lines}", values  # nosec B608 # names from code; values are parameters


def _as_literal(value: Any) -> str | None:
	"""Return a value as SQL that every database reads, if it needs no escaping."""
	if value is None:
		return "NULL"
	if type(value) is int:
		return str(value)
	text = str(value) if isinstance(value, date) else value  # a datetime is a date, too
	return f"'{text}'" if type(text) is str and _PLAIN.fullmatch(text) else None


def _update_from_values(doctype: str, columns: Sequence[str], rows: Sequence[Row]) -> tuple[str, list]:
	# PostgreSQL reads an untyped VALUES list as text, so the types come from an empty select of the table.
	names = ", ".join(f"`{column}`" for column in columns)
	one = f"({', '.join(['%s'] * len(columns))})"
	sets = ", ".join(f"`{column}` = v.`{column}`" for column in columns[1:])
	typed = f"SELECT {names} FROM `tab{doctype}` WHERE false UNION ALL VALUES {', '.join([one] * len(rows))}"  # nosec B608 # names from code; values are parameters
	values = [value for row in rows for value in row]
	return (
		f"UPDATE `tab{doctype}` AS t SET {sets} FROM ({typed}) AS v ({names}) WHERE t.name = v.name",  # nosec B608 # names from code; values are parameters
		values,
	)


def select_in(
	doctype: str, fields: Sequence[str], column: str, values: Sequence[str], **equal: Any
) -> list[frappe._dict]:
	"""Return `fields` of the records whose `column` is one of `values` and whose other columns equal `equal`.

	A name is text, as in other rows, also if the DocType is named by Autoincrement.
	Frappe's query builders need 20 microseconds for each value of a list; the driver needs one.
	"""
	if not values:
		return []
	names = ", ".join("*" if field == "*" else f"`{field}`" for field in fields)
	conditions = [f"`{column}` IN %(values)s", *(f"`{name}` = %({name})s" for name in equal)]
	statement = f"SELECT {names} FROM `tab{doctype}` WHERE {' AND '.join(conditions)}"  # nosec B608 # names from code; values are parameters
	rows = frappe.db.sql(statement, {"values": tuple(values), **equal}, as_dict=True)
	if rows and not isinstance(rows[0].get("name", ""), str):
		for row in rows:
			row["name"] = str(row["name"])
	return rows


def as_names(names: Iterable[str | int]) -> list[str]:
	"""Return names of records as other rows store them. A DocType that is named by Autoincrement has numbers."""
	return [str(name) for name in names]


def names_where(doctype: str, names: Sequence[str], condition: str) -> list[str]:
	"""Return those of the records that fulfill a condition: SQL on the table, without %, or "" for every record."""
	statement = f"SELECT `name` FROM `tab{doctype}` WHERE `name` IN %(names)s AND ({condition or '1 = 1'})"  # nosec B608 # names from code; conditions are made by Frappe or quoted
	found = frappe.db.sql(statement, {"names": tuple(names)}, pluck=True) if names else []
	return as_names(found)


def count_listed(listed: str | QueryBuilder) -> int:
	"""Return how many records a list has, counted by the database: what frappe.get_list returns for `run=False`."""
	return _count_rows(*_as_statement(listed))


def count_matching(
	doctype: str, filters: list, people: QueryBuilder | None = None, conditions: Sequence[str] = ()
) -> int:
	"""Return how many records match, whatever the session's user may read.

	With `people`, only names that this query returns; with `conditions` (SQL on the table, without %), only those which
	fulfill all of them.
	"""
	# Removing duplicates of 250,000 names takes seconds, and only a filter on a child table makes duplicates.
	distinct = any(len(row) > 3 and row[0] != doctype for row in filters)
	matching = frappe.get_all(
		doctype, filters=filters, fields=["name"], distinct=distinct, limit_page_length=0, run=False
	)
	statement, values = _as_statement(matching)
	wanted = [f"name IN (SELECT name FROM `tab{doctype}` WHERE {one})" for one in conditions if one]  # nosec B608 # names from code; conditions are made by Frappe or quoted
	if people is not None:
		named, known = _renamed(*people.walk())
		wanted.append(f"name IN ({named})")
		values = {**values, **known}
	return _count_rows(statement, values, f"WHERE {' AND '.join(wanted)}" if wanted else "")


def _renamed(statement: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
	"""Return a query with names of its values that no other query of the builder has."""
	return re.sub(r"%\((\w+)\)s", r"%(people_\1)s", statement), {
		f"people_{name}": value for name, value in values.items()
	}


def _as_statement(query: str | QueryBuilder) -> tuple[str, dict[str, Any]]:
	"""Return the statement and the values of a list: Frappe 15 gives a text that contains the values, 16 a builder.

	The builder's own text is not used: it does not escape backslashes in values.
	"""
	return (query.replace("%", "%%"), {}) if isinstance(query, str) else query.walk()


def _count_rows(statement: str, values: dict[str, Any], condition: str = "") -> int:
	whole = f"SELECT COUNT(*) FROM ({statement}) listed {condition}"  # nosec B608 # a statement of the query builder
	if values:
		return frappe.db.sql(whole, values)[0][0]
	return frappe.db.sql(whole.replace("%%", "%"))[0][0]  # without values the driver keeps %% as it is
