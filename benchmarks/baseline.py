"""The limits of the database and SMTP: the same rows with raw inserts, and the same bytes with plain smtplib."""

import smtplib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from unittest import mock

import frappe

from benchmarks.smtp_sink import LOOPBACK
from drip_campaigns.db import bulk_writes, events
from drip_campaigns.jobs import dispatch_due


@dataclass(frozen=True)
class Insert:
	"""One statement of a batch: rows of one table, in the columns that the dispatch fills."""

	doctype: str
	columns: tuple[str, ...]
	rows: list[tuple]


@dataclass
class Recording:
	"""The rows that a dispatch wrote, batch by batch."""

	batches: list[list[Insert]] = field(default_factory=list)


@dataclass(frozen=True)
class RawMessage:
	"""One message, ready for SMTP."""

	sender: str
	recipient: str
	text: bytes


@contextmanager
def recording() -> Iterator[Recording]:
	"""Record every row that a dispatch inserts in a `with` block."""
	result = Recording()
	insert, record = events.insert_rows, dispatch_due.insert_emails

	def begin_batch(*args: object) -> None:
		result.batches.append([])
		record(*args)

	def keep(doctype: str, columns: Sequence[str], rows: Sequence[Sequence]) -> None:
		result.batches[-1].append(Insert(doctype, tuple(columns), [tuple(row) for row in rows]))
		insert(doctype, columns, rows)

	with (
		mock.patch.object(dispatch_due, "insert_emails", begin_batch),
		mock.patch.object(bulk_writes, "insert_rows", keep),
		mock.patch.object(events, "insert_rows", keep),
	):
		yield result


def insert_copies(recorded: Recording) -> float:
	"""Insert the rows into copies of the tables, with the same statements and commits, and return the seconds.

	Copies, because rows that are deleted again keep the database busy while the next thing is measured.
	"""
	copies = {
		insert.doctype: f"drip_bench {insert.doctype}" for batch in recorded.batches for insert in batch
	}
	for doctype, copy in copies.items():
		frappe.db.sql_ddl(f"DROP TABLE IF EXISTS `{copy}`")
		frappe.db.sql_ddl(f"CREATE TABLE `{copy}` LIKE `tab{doctype}`")
	statements = [
		[_statement(insert, copies[insert.doctype]) for insert in batch] for batch in recorded.batches
	]
	cursor = frappe.db._cursor
	begun = time.perf_counter()
	for batch in statements:
		for statement, rows in batch:
			cursor.execute(statement, [value for row in rows for value in row])
		cursor.execute("COMMIT")
	seconds = time.perf_counter() - begun
	for copy in copies.values():
		frappe.db.sql_ddl(f"DROP TABLE `{copy}`")
	return seconds


def _statement(insert: Insert, table: str) -> tuple[str, list[tuple]]:
	names = ", ".join(f"`{column}`" for column in insert.columns)
	one = f"({', '.join(['%s'] * len(insert.columns))})"
	lines = ", ".join([one] * len(insert.rows))
	return f"INSERT INTO `{table}` ({names}) VALUES {lines}", insert.rows


def read_messages(site_now: datetime) -> list[RawMessage]:
	"""Return the messages that a dispatch at `site_now` has queued, as bytes."""
	queue, recipient = frappe.qb.DocType("Email Queue"), frappe.qb.DocType("Email Queue Recipient")
	found = (
		frappe.qb.from_(queue)
		.inner_join(recipient)
		.on(recipient.parent == queue.name)
		.select(queue.sender, recipient.recipient, queue.message)
		.where(queue.creation == site_now)
		.run()
	)
	return [RawMessage(sender, to, message.encode()) for sender, to, message in found]


def send_messages(messages: Sequence[RawMessage], port: int) -> float:
	"""Send messages over one connection and return the seconds."""
	with smtplib.SMTP(LOOPBACK, port) as session:
		session.ehlo()
		begun = time.perf_counter()
		for message in messages:
			session.sendmail(message.sender, message.recipient, message.text)
		return time.perf_counter() - begun
