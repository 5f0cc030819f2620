"""Frappe's Webhooks, Notifications and Server Scripts on enrollments and events, which are written many rows a statement.

Frappe fires them for documents that are saved one by one. Here, what a transaction writes is noted, read once right before
its commit, and shown after it to whoever listens by a background job (`telling.py`): each row as the document that it was,
with what stood there before. Where nobody listens, a batch costs one look-up in Redis.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import frappe
import redis

from drip_campaigns.db.dialect import is_among, select_in

DOCTYPES = ("Drip Enrollment", "Drip Event")
KEY = "drip_campaigns:listeners"
KEPT_SECONDS = 3600
JOB = "drip_campaigns.jobs.doc_event_job.deliver_doc_events"
CHANGES_A_JOB = 200
# What Frappe calls after a document was made, and after it was changed
METHODS_OF_NEW = ("after_insert", "on_update")
METHODS_OF_CHANGED = ("on_update", "on_change")
NOTIFICATION_METHODS = {"New": "after_insert", "Save": "on_update", "Value Change": "on_change"}
SCRIPT_METHODS = {"After Insert": "after_insert", "After Save": "on_update"}
Row = dict[str, object]


@dataclass
class _Written:
	"""What the present transaction has written of one DocType that somebody listens to."""

	new: set[str] = field(default_factory=set)
	before: dict[str, Row] = field(default_factory=dict)


def record_inserts(doctype: str, names: Sequence[str]) -> None:
	"""These rows were just inserted: whoever listens hears of them after the commit."""
	if names and has_listener(doctype, METHODS_OF_NEW):
		_written(doctype).new.update(names)


def record_changes(doctype: str, names: Sequence[str]) -> None:
	"""These rows are about to be changed: whoever listens hears of it after the commit, if they then differ."""
	if not names or not has_listener(doctype, METHODS_OF_CHANGED):
		return
	written = _written(doctype)
	unknown = sorted(set(names) - written.new - set(written.before))
	if unknown:
		table = frappe.qb.DocType(doctype)
		# With the locks that the change takes anyway: what was there before, and not what was when the transaction began
		query = frappe.qb.from_(table).select("*").where(is_among(table.name, unknown)).for_update()
		written.before.update({row.name: row for row in query.run(as_dict=True)})


def has_listener(doctype: str, methods: Iterable[str] = METHODS_OF_CHANGED) -> bool:
	"""Say whether somebody listens to one of these of Frappe's methods of a DocType: one look-up in Redis."""
	if doctype not in DOCTYPES:
		return False
	heard = frappe.cache.get_value(KEY, expires=True)
	if heard is None:
		heard = {name: sorted(_find_heard_methods(name)) for name in DOCTYPES}
		frappe.cache.set_value(KEY, heard, expires_in_sec=KEPT_SECONDS)
	return not set(methods).isdisjoint(heard.get(doctype, ()))


def forget(_document=None, _event: str | None = None) -> None:
	"""A Webhook, a Notification or a Server Script was changed: ask anew, and once that is committed again."""
	frappe.cache.delete_value(KEY)
	frappe.db.after_commit.add(lambda: frappe.cache.delete_value(KEY))


def find_webhooks(doctype: str) -> list[frappe._dict]:
	"""Return the Webhooks on a DocType, with the fields that Frappe's own code wants of them."""
	fields = ["name", "condition", "webhook_docevent", "background_jobs_queue"]
	return frappe.get_all("Webhook", fields=fields, filters={"webhook_doctype": doctype, "enabled": 1})


def find_notifications(doctype: str) -> list[frappe._dict]:
	"""Return the Notifications on a DocType."""
	filters = {"document_type": doctype, "enabled": 1}
	return frappe.get_all("Notification", fields=["name", "event", "method"], filters=filters)


def find_scripts(doctype: str) -> list[frappe._dict]:
	"""Return the Server Scripts that a DocType's documents call after they were made or saved."""
	filters = {
		"reference_doctype": doctype,
		"script_type": "DocType Event",
		"doctype_event": ["in", list(SCRIPT_METHODS)],
		"disabled": 0,
	}
	return frappe.get_all("Server Script", fields=["name", "doctype_event"], filters=filters)


def method_of(notification: frappe._dict) -> str:
	"""Return the method of a document that a Notification waits for."""
	return NOTIFICATION_METHODS.get(notification.event) or notification.method or ""


def _find_heard_methods(doctype: str) -> set[str]:
	return {
		*(row.webhook_docevent for row in find_webhooks(doctype)),
		*map(method_of, find_notifications(doctype)),
		*(SCRIPT_METHODS[row.doctype_event] for row in find_scripts(doctype)),
	}


def _written(doctype: str) -> _Written:
	written: dict[str, _Written] | None = getattr(frappe.local, "drip_written", None)
	if written is None:
		written = frappe.local.drip_written = {}
		frappe.db.before_commit.add(_collect)
		frappe.db.after_rollback.add(_drop)
	return written.setdefault(doctype, _Written())


def _drop() -> None:
	frappe.local.drip_written = None


def _collect() -> None:
	"""Read what was written as it is about to be committed."""
	written = frappe.local.drip_written or {}
	_drop()
	for doctype, rows in written.items():
		names = sorted(rows.new | set(rows.before))
		changes = []
		for row in select_in(doctype, ["*"], "name", names):
			before = rows.before.get(row.name)
			if row.name in rows.new or _differ(row, before):
				changes.append((dict(row), before and dict(before)))
		_enqueue_after_commit(doctype, changes)


def _differ(row: Row, before: Row) -> bool:
	return any(row[name] != before[name] for name in row if name not in ("modified", "modified_by"))


def _enqueue_after_commit(doctype: str, changes: list[tuple[Row, Row | None]]) -> None:
	def enqueue() -> None:
		for start in range(0, len(changes), CHANGES_A_JOB):
			try:
				frappe.enqueue(JOB, doctype=doctype, changes=changes[start : start + CHANGES_A_JOB])
			except (
				redis.RedisError
			):  # what was written is committed; nobody is stopped because others cannot be told
				frappe.logger("drip_campaigns").exception("Webhooks and Notifications were not told")

	frappe.db.after_commit.add(enqueue)
