"""The circuit breaker: pauses a campaign of which too much bounces or is complained about. Nothing here commits."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import frappe
from frappe import _
from frappe.query_builder.functions import Count

from drip_campaigns.campaign.auto_pause import pause_campaign
from drip_campaigns.core.inbound.breaker import is_too_much
from drip_campaigns.core.model import CampaignStatus, EventType
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.settings import Breaker, breaker

LOOKED_AT = timedelta(hours=24)
BAD = (EventType.BOUNCED.value, EventType.COMPLAINED.value)


def pause_failing_campaigns(campaigns: Iterable[str], now: datetime) -> list[str]:
	"""Pause those of the campaigns whose rates of the last 24 hours are above those of Drip Settings; return which."""
	paused = []
	for name in campaigns:
		if frappe.db.get_value("Drip Campaign", name, "status") != CampaignStatus.ACTIVE.value:
			continue
		campaign, rules = frappe.get_doc("Drip Campaign", name, for_update=True), breaker()
		if reason := _find_reason(_count(campaign, now), rules):
			pause_campaign(campaign, reason, now)
			paused.append(name)
	return paused


def _find_reason(counts: dict[str, int], rules: Breaker) -> str | None:
	bounces, complaints = (counts.get(event, 0) for event in BAD)
	sent = counts.get(EventType.SENT.value, 0) + counts.get("refused", 0)
	if is_too_much(bounces, sent, rules.bounce_rate, rules.sample):
		return _(
			"{0} of {1} emails of the last 24 hours bounced. Look at where the addresses come from."
		).format(bounces, sent)
	if is_too_much(complaints, sent, rules.complaint_rate, rules.sample):
		return _(
			"{0} of {1} emails of the last 24 hours were called spam. Look at who gets them, and how often."
		).format(complaints, sent)
	return None


def _count(campaign, now: datetime) -> dict[str, int]:
	"""Count since a day ago, or since somebody has let the campaign go on: what they know of does not stop it again."""
	since = max(now - LOOKED_AT, from_site(campaign.resumed_at) or now - LOOKED_AT)
	event = frappe.qb.DocType("Drip Event")
	rows = (
		frappe.qb.from_(event)
		.select(event.event_type, Count("*"))
		.where((event.campaign == campaign.name) & (event.occurred_at >= to_site(since)))
		.where(event.event_type.isin([*BAD, EventType.SENT.value]))
		.groupby(event.event_type)
		.run()
	)
	return {**dict(rows), "refused": _count_refused(campaign.name, since)}


def _count_refused(campaign: str, since: datetime) -> int:
	"""What was refused while sending was offered as well, and was never Sent."""
	filters = {
		"campaign": campaign,
		"status": "Failed",
		"bounce": ["is", "set"],
		"modified": [">=", to_site(since)],
	}
	return frappe.db.count("Drip Email", filters)
