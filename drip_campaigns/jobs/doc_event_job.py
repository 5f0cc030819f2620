"""Run Frappe's Webhooks, Notifications, and Server Scripts for enrollments and events, after these were written.

Frappe's own code decides whether one applies. Each runs in its own transaction; one that fails is logged.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import frappe
from frappe import _
from frappe.email.doctype.notification.notification import evaluate_alert
from frappe.integrations.doctype.webhook.webhook import get_context

from drip_campaigns.db.doc_event_queue import (
	METHODS_OF_CHANGED,
	METHODS_OF_NEW,
	SCRIPT_METHODS,
	find_notifications,
	find_scripts,
	find_webhooks,
	method_of,
)
from drip_campaigns.jobs.batches import run_transaction
from drip_campaigns.site.error_log import log_failure

SEND_WEBHOOK = "frappe.integrations.doctype.webhook.webhook.enqueue_webhook"


class Listener(NamedTuple):
	"""A Webhook, Notification, or Server Script, the document method that it waits for, and how to run it."""

	kind: str
	name: str
	method: str
	call: Callable


def deliver_doc_events(doctype: str, changes: Sequence[tuple[dict, dict | None]]) -> None:
	"""Run every listener for documents, each given with its previous state (None if it is new)."""
	for listener in find_listeners(doctype):
		errors = [
			error for row, before in changes if (error := _run_listener(listener, doctype, row, before))
		]
		if errors:
			_log(listener, doctype, errors)


def find_listeners(doctype: str) -> Iterator[Listener]:
	"""Yield the listeners of a DocType."""
	for row in find_webhooks(doctype):
		yield Listener("Webhook", row.name, row.webhook_docevent, partial(_call_webhook, row))
	for row in find_notifications(doctype):
		yield Listener("Notification", row.name, method_of(row), partial(_call_notification, row))
	for row in find_scripts(doctype):
		yield Listener(
			"Server Script", row.name, SCRIPT_METHODS[row.doctype_event], partial(_call_script, row)
		)


def _run_listener(listener: Listener, doctype: str, row: dict, before: dict | None) -> str:
	"""Run a listener for a document if it waits for this method; return the traceback if it failed."""
	if listener.method not in (METHODS_OF_CHANGED if before else METHODS_OF_NEW):
		return ""
	document = frappe.get_doc({"doctype": doctype, **row})
	if before:
		document._doc_before_save = frappe.get_doc({"doctype": doctype, **before})
	try:
		run_transaction(partial(listener.call, document), is_new=True)
	except Exception:  # noqa: BLE001 - the caller logs it; one listener must not stop the others
		return frappe.get_traceback()
	return ""


def _call_webhook(webhook: frappe._dict, document) -> None:
	# nosemgrep: template-outside-sandbox - a Webhook, which only a System Manager writes, as Frappe evaluates it
	if not webhook.condition or frappe.safe_eval(webhook.condition, eval_locals=get_context(document)):
		queue = webhook.background_jobs_queue or "default"
		frappe.enqueue(SEND_WEBHOOK, queue=queue, doc=document, webhook=webhook)


def _call_notification(notification: frappe._dict, document) -> None:
	evaluate_alert(document, notification.name, notification.event)


def _call_script(script: frappe._dict, document) -> None:
	frappe.get_doc("Server Script", script.name).execute_doc(document)


def _log(listener: Listener, doctype: str, errors: Sequence[str]) -> None:
	title = _("Drip Campaigns: {0} {1} failed for {2} of {3}").format(
		_(listener.kind), listener.name, len(errors), _(doctype)
	)
	log_failure(title, errors[0])
	frappe.db.commit()
