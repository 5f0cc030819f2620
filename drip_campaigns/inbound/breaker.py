"""The circuit breaker: pause a campaign with too many bounces or complaints. Nothing here commits."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import frappe
from frappe import _
from frappe.query_builder.functions import Count

from drip_campaigns.campaign.auto_pause import pause_campaign
from drip_campaigns.core.inbound.bounces import exceeds_rate
from drip_campaigns.core.model import CampaignStatus, EventType
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.settings import Breaker, breaker

PERIOD = timedelta(hours=24)
BAD = (EventType.BOUNCED.value, EventType.COMPLAINED.value)


def pause_failing_campaigns(campaigns: Iterable[str], now: datetime) -> list[str]:
	"""Pause the active campaigns whose rates of the last 24 hours exceed those of Drip Settings; return their names."""
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
	if exceeds_rate(bounces, sent, rules.bounce_rate, rules.sample):
		return _(
			"{0} of {1} emails of the last 24 hours bounced. Check where the addresses come from."
		).format(bounces, sent)
	if exceeds_rate(complaints, sent, rules.complaint_rate, rules.sample):
		return _(
			"Recipients marked {0} of {1} emails of the last 24 hours as spam. Check who gets them, and how often."
		).format(complaints, sent)
	return None


def _count(campaign, now: datetime) -> dict[str, int]:
	"""Count events since a day ago, or since a user resumed the campaign: what they saw does not pause it again."""
	since = max(now - PERIOD, from_site(campaign.resumed_at) or now - PERIOD)
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
	"""Return how many emails the server refused while we sent them; those are not among the Sent."""
	filters = {
		"campaign": campaign,
		"status": "Failed",
		"bounce": ["is", "set"],
		"modified": [">=", to_site(since)],
	}
	return frappe.db.count("Drip Email", filters)
