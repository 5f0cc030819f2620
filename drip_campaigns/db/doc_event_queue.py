"""Queue doc events of enrollments and events, which are written in bulk, for Webhooks, Notifications, and Server Scripts.

Frappe runs these for documents that are saved one by one. This module records which rows a transaction writes, reads
them once before the commit, and enqueues a job (`jobs/doc_event_job.py`) that runs the listeners with each row and its
previous state. Without listeners, a batch costs one look-up in Redis.
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
# The methods that Frappe calls after a document was created, and after it was changed
METHODS_OF_NEW = ("after_insert", "on_update")
METHODS_OF_CHANGED = ("on_update", "on_change")
NOTIFICATION_METHODS = {"New": "after_insert", "Save": "on_update", "Value Change": "on_change"}
SCRIPT_METHODS = {"After Insert": "after_insert", "After Save": "on_update"}
Row = dict[str, object]


@dataclass
class _Written:
	"""The rows of one DocType that the current transaction wrote."""

	new: set[str] = field(default_factory=set)
	before: dict[str, Row] = field(default_factory=dict)


def record_inserts(doctype: str, names: Sequence[str]) -> None:
	"""Record rows that were just inserted, so that listeners run after the commit."""
	if names and has_listener(doctype, METHODS_OF_NEW):
		_written(doctype).new.update(names)


def record_changes(doctype: str, names: Sequence[str]) -> None:
	"""Record rows that are about to change, so that listeners run after the commit if the rows then differ."""
	if not names or not has_listener(doctype, METHODS_OF_CHANGED):
		return
	written = _written(doctype)
	unknown = sorted(set(names) - written.new - set(written.before))
	if unknown:
		table = frappe.qb.DocType(doctype)
		# Reads with the locks that the change needs anyway: the current state, not that of the transaction's beginning
		query = frappe.qb.from_(table).select("*").where(is_among(table.name, unknown)).for_update()
		written.before.update({row.name: row for row in query.run(as_dict=True)})


def has_listener(doctype: str, methods: Iterable[str] = METHODS_OF_CHANGED) -> bool:
	"""Return True if a DocType has a listener for one of these methods: one look-up in Redis."""
	if doctype not in DOCTYPES:
		return False
	methods_by_doctype = frappe.cache.get_value(KEY, expires=True)
	if methods_by_doctype is None:
		methods_by_doctype = {name: sorted(_find_methods(name)) for name in DOCTYPES}
		frappe.cache.set_value(KEY, methods_by_doctype, expires_in_sec=KEPT_SECONDS)
	return not set(methods).isdisjoint(methods_by_doctype.get(doctype, ()))


def forget(_document=None, _event: str | None = None) -> None:
	"""Clear the cache, now and after the commit, because a Webhook, Notification, or Server Script changed."""
	frappe.cache.delete_value(KEY)
	frappe.db.after_commit.add(lambda: frappe.cache.delete_value(KEY))


def find_webhooks(doctype: str) -> list[frappe._dict]:
	"""Return the enabled Webhooks on a DocType, with the fields that Frappe's own code needs."""
	fields = ["name", "condition", "webhook_docevent", "background_jobs_queue"]
	return frappe.get_all("Webhook", fields=fields, filters={"webhook_doctype": doctype, "enabled": 1})


def find_notifications(doctype: str) -> list[frappe._dict]:
	"""Return the enabled Notifications on a DocType."""
	filters = {"document_type": doctype, "enabled": 1}
	return frappe.get_all("Notification", fields=["name", "event", "method"], filters=filters)


def find_scripts(doctype: str) -> list[frappe._dict]:
	"""Return the Server Scripts that run after a document of the DocType was created or saved."""
	filters = {
		"reference_doctype": doctype,
		"script_type": "DocType Event",
		"doctype_event": ["in", list(SCRIPT_METHODS)],
		"disabled": 0,
	}
	return frappe.get_all("Server Script", fields=["name", "doctype_event"], filters=filters)


def method_of(notification: frappe._dict) -> str:
	"""Return the document method that a Notification waits for."""
	return NOTIFICATION_METHODS.get(notification.event) or notification.method or ""


def _find_methods(doctype: str) -> set[str]:
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
	"""Read the rows that were written, before they are committed."""
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
			except redis.RedisError:  # the rows are committed; a failed listener must not stop the caller
				frappe.logger("drip_campaigns").exception("Webhooks and Notifications could not be enqueued")

	frappe.db.after_commit.add(enqueue)
