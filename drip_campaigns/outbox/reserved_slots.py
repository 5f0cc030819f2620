"""Places under the frequency cap that are kept free: for emails that campaigns of a higher priority have planned.

Read for a batch at once: one statement to see whether there are such campaigns, and a second only if there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import frappe

from drip_campaigns.core.model import CampaignStatus, StepType
from drip_campaigns.db.dialect import is_among
from drip_campaigns.people.addresses import hash_address, live_key, normalize
from drip_campaigns.site.clock import from_site, to_site


class ReservedSlot(NamedTuple):
	"""An email that is planned for an address, and the campaign that has planned it."""

	at: datetime
	campaign: str


def load_reserved_slots(
	campaign, addresses: Iterable[str], days: int, now: datetime
) -> Mapping[str, list[ReservedSlot]]:
	"""Return what campaigns of a higher priority have planned for `addresses` in these days, by the addresses' keys.

	Of each enrollment the next email counts: what comes after it may still change.
	"""
	reserved: dict[str, list[ReservedSlot]] = defaultdict(list)
	filters = {
		"status": CampaignStatus.ACTIVE.value,
		"is_transactional": 0,
		"priority": [">", campaign.priority or 0],
	}
	higher = frappe.get_all("Drip Campaign", filters=filters, fields=["name", "campaign_name"])
	keys = {
		live_key(row.name, "address", normalize(address)): (hash_address(address), row.campaign_name)
		for row in higher
		for address in addresses
		if address
	}
	if not keys:
		return reserved
	for live_address, planned in _find_planned(keys, to_site(now + timedelta(days=days))):
		key, name = keys[live_address]
		reserved[key].append(ReservedSlot(from_site(planned), name))
	return reserved


def _find_planned(keys: Iterable[str], until: datetime) -> Iterable[tuple[str, datetime]]:
	enrollment, step = frappe.qb.DocType("Drip Enrollment"), frappe.qb.DocType("Drip Campaign Step")
	return (
		frappe.qb.from_(enrollment)
		.inner_join(step)
		.on(step.name == enrollment.next_step)
		.select(enrollment.live_address, enrollment.next_send_at)
		.where(is_among(enrollment.live_address, keys) & (enrollment.next_send_at < until))
		.where((step.step_type == StepType.SEND.value) & (step.is_paused == 0))
		.run()
	)
