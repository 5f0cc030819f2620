"""Stop a campaign, or all sending, by ourselves, and tell those who can mend the cause. Nothing here commits."""

from collections.abc import Iterable
from datetime import datetime

import frappe
from frappe import _
from frappe.desk.doctype.notification_log.notification_log import enqueue_create_notification

from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.dispatch import mail_store
from drip_campaigns.dispatch.withdraw import hold
from drip_campaigns.site_clock import to_site

TELL_AGAIN_SECONDS = 24 * 3600


def hold_campaign(campaign, reason: str, now: datetime) -> None:
	"""Pause a campaign because of `reason`; its owner and the managers are told. Nobody loses a step."""
	campaign.db_set(
		{"status": CampaignStatus.PAUSED.value, "paused_at": to_site(now), "held_because": reason},
		notify=True,
	)
	campaign.add_comment("Info", _("The campaign was paused: {0}").format(reason))
	hold(mail_store.email_table().campaign == campaign.name, now=now)
	subject = _("Campaign {0} was paused: {1}").format(
		frappe.bold(campaign.name), frappe.utils.escape_html(reason)
	)
	told = {campaign.owner, *managers()}
	frappe.db.after_commit.add(lambda: tell(told, subject, "Drip Campaign", campaign.name))


def hold_everything(reason: str) -> None:
	"""Hold all sending of the site because of `reason`, what is queued included; the managers are told."""
	settings = frappe.get_doc("Drip Settings")
	settings.hold_sending, settings.hold_reason = 1, reason
	settings.save(ignore_permissions=True)
	told = {*managers(), "Administrator"}
	subject = _("All campaign e-mails are held: {0}").format(frappe.utils.escape_html(reason))
	frappe.db.after_commit.add(lambda: tell(told, subject, "Drip Settings", "Drip Settings"))


def tell_about_account(account: str, error: str) -> None:
	"""Tell the managers, once a day, that an Email Account does not work; its e-mails wait and are tried again."""
	key = f"drip_campaigns:told:{account}"
	if frappe.cache.get_value(key):
		return
	frappe.cache.set_value(key, 1, expires_in_sec=TELL_AGAIN_SECONDS)
	subject = _("Email Account {0} cannot send: {1}. Its campaign e-mails wait.").format(
		frappe.bold(account), frappe.utils.escape_html(error)
	)
	frappe.db.after_commit.add(
		lambda: tell({*managers(), "Administrator"}, subject, "Email Account", account)
	)


def managers() -> list[str]:
	"""Return the users with the role Drip Manager."""
	filters = {"role": "Drip Manager", "parenttype": "User"}
	return frappe.get_all("Has Role", filters=filters, pluck="parent", distinct=True)


def tell(users: Iterable[str], subject: str, doctype: str, name: str) -> None:
	"""Notify enabled users in the Desk (and by e-mail, if they want that) about a document."""
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
