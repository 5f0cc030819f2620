"""Notify users in Desk about a document, and managers about a sending account. Nothing here commits."""

from collections.abc import Iterable

import frappe
from frappe import _
from frappe.desk.doctype.notification_log.notification_log import enqueue_create_notification

NOTIFY_AGAIN_SECONDS = 24 * 3600


def notify_about_account(account: str, error: str) -> None:
	"""Notify the managers, once a day, that an Email Account does not work; its emails wait and are retried."""
	key = f"drip_campaigns:told:{account}"
	if frappe.cache.get_value(key):
		return
	frappe.cache.set_value(key, 1, expires_in_sec=NOTIFY_AGAIN_SECONDS)
	subject = _("Email Account {0} cannot send: {1}. Its campaign emails are retried.").format(
		frappe.bold(account), frappe.utils.escape_html(error)
	)
	frappe.db.after_commit.add(
		lambda: notify({*find_managers(), "Administrator"}, subject, "Email Account", account)
	)


def find_managers() -> list[str]:
	"""Return the users with the role Drip Manager."""
	filters = {"role": "Drip Manager", "parenttype": "User"}
	return frappe.get_all("Has Role", filters=filters, pluck="parent", distinct=True)


def notify(users: Iterable[str], subject: str, doctype: str, name: str) -> None:
	"""Notify enabled users in the Desk (and by email, if they want that) about a document."""
	enabled = frappe.get_all("User", filters={"name": ["in", list(users)], "enabled": 1}, pluck="name")
	if enabled:
		notification = {
			"type": "Alert",
			"document_type": doctype,
			"document_name": name,
			"subject": subject,
			"from_user": "Administrator",
		}
		enqueue_create_notification(enabled, notification)
