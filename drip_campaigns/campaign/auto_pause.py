"""Stop a campaign, or all sending, by ourselves, and tell those who can mend the cause. Nothing here commits."""

from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.cancel import pause_queued
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.notify import find_managers, notify


def pause_campaign(campaign, reason: str, now: datetime) -> None:
	"""Pause a campaign because of `reason`; its owner and the managers are told. Nobody loses a step."""
	campaign.db_set(
		{"status": CampaignStatus.PAUSED.value, "paused_at": to_site(now), "pause_reason": reason},
		notify=True,
	)
	campaign.add_comment("Info", _("The campaign was paused: {0}").format(reason))
	pause_queued(emails.email_table().campaign == campaign.name, now=now)
	subject = _("Campaign {0} was paused: {1}").format(
		frappe.bold(campaign.name), frappe.utils.escape_html(reason)
	)
	told = {campaign.owner, *find_managers()}
	frappe.db.after_commit.add(lambda: notify(told, subject, "Drip Campaign", campaign.name))


def pause_all_sending(reason: str) -> None:
	"""Hold all sending of the site because of `reason`, what is queued included; the managers are told."""
	settings = frappe.get_doc("Drip Settings")
	settings.pause_sending, settings.pause_reason = 1, reason
	settings.save(ignore_permissions=True)
	told = {*find_managers(), "Administrator"}
	subject = _("All campaign emails are held: {0}").format(frappe.utils.escape_html(reason))
	frappe.db.after_commit.add(lambda: notify(told, subject, "Drip Settings", "Drip Settings"))
