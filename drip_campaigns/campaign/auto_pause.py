"""Pause a campaign or all sending automatically, and notify those who can fix the cause. Nothing here commits."""

from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.db.single_writes import write_fields
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.cancel import pause_queued
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.messages import add_note, as_html, bold
from drip_campaigns.site.notify import find_managers, notify


def pause_campaign(campaign, reason: str, now: datetime) -> None:
	"""Pause a campaign because of `reason`, and notify its owner and the managers. No step is lost."""
	write_fields(
		campaign,
		{"status": CampaignStatus.PAUSED.value, "paused_at": to_site(now), "pause_reason": reason},
		notify=True,
	)
	add_note(campaign, _("The campaign was paused: {0}"), reason)
	pause_queued(emails.email_table().campaign == campaign.name, now=now)
	subject = as_html(_("Campaign {0} was paused: {1}"), bold(campaign.name), reason)
	receivers = {campaign.owner, *find_managers()}
	frappe.db.after_commit.add(lambda: notify(receivers, subject, "Drip Campaign", campaign.name))


def pause_if_active(name: str, reason: str, now: datetime) -> None:
	"""Pause a campaign because of `reason`, unless another worker has already paused or ended it."""
	campaign = frappe.get_doc("Drip Campaign", name, for_update=True)
	if campaign.status == CampaignStatus.ACTIVE.value:
		pause_campaign(campaign, reason, now)


def pause_all_sending(reason: str) -> None:
	"""Pause all sending of the site, also of queued emails, because of `reason`, and notify the managers."""
	settings = frappe.get_doc("Drip Settings")
	settings.pause_sending, settings.pause_reason = 1, reason
	# nosemgrep: ignore-permissions - the app itself stops, whoever's job it is
	settings.save(ignore_permissions=True)
	receivers = {*find_managers(), "Administrator"}
	subject = as_html(_("All campaign emails are paused: {0}"), reason)
	frappe.db.after_commit.add(lambda: notify(receivers, subject, "Drip Settings", "Drip Settings"))
