"""Notify users in Desk about a document, and managers about a sending account. Nothing here commits."""

from collections.abc import Iterable

import frappe
from frappe import _
from frappe.desk.doctype.notification_log.notification_log import enqueue_create_notification

from drip_campaigns.site.messages import as_html, bold

NOTIFY_AGAIN_SECONDS = 24 * 3600
LONGEST_SUBJECT = 1000


def notify_about_account(account: str, error: str) -> None:
	"""Notify the managers, once a day, that an Email Account does not work; its emails wait and are retried."""
	subject = as_html(
		_("Email Account {0} cannot send: {1}. Its campaign emails are retried."), bold(account), error
	)
	notify_once(f"told:{account}", "Administrator", subject, "Email Account", account)


def notify_once(key: str, user: str, subject: str, doctype: str, name: str) -> bool:
	"""Notify a user and the managers about a document after the commit, once a day by key; return whether it was time."""
	key = f"drip_campaigns:{key}"
	if frappe.cache.get_value(key, expires=True):
		return False
	frappe.cache.set_value(key, 1, expires_in_sec=NOTIFY_AGAIN_SECONDS)
	users = {user, *find_managers()}
	frappe.db.after_commit.add(lambda: notify(users, subject, doctype, name))
	return True


def find_managers() -> list[str]:
	"""Return the users with the role Drip Manager."""
	filters = {"role": "Drip Manager", "parenttype": "User"}
	return frappe.get_all("Has Role", filters=filters, pluck="parent", distinct=True)


def notify(users: Iterable[str], subject: str, doctype: str, name: str) -> None:
	"""Notify enabled users in the Desk (and by email, if they want that) about a document. Escapes a `subject` in plain text."""
	enabled = frappe.get_all("User", filters={"name": ["in", list(users)], "enabled": 1}, pluck="name")
	if enabled:
		notification = {
			"type": "Alert",
			"document_type": doctype,
			"document_name": name,
			"subject": str(as_html(subject)),
			"from_user": "Administrator",
		}
		enqueue_create_notification(enabled, notification)


def insert_notification(
	user: str, subject: str, doctype: str, name: str | None = None, kind: str = "Alert"
) -> str:
	"""Notify one user in this transaction, with Frappe's type `kind`; return the Notification Log. Escapes a plain `subject`.

	Not with Frappe's background job, which would notify again after a rollback.
	"""
	log = frappe.get_doc(
		doctype="Notification Log",
		type=kind,
		for_user=user,
		from_user=frappe.session.user,
		subject=str(as_html(subject))[:LONGEST_SUBJECT],
		document_type=doctype,
		document_name=name,
	)
	# nosemgrep: ignore-permissions - as Frappe's own notifications
	return log.insert(ignore_permissions=True).name
