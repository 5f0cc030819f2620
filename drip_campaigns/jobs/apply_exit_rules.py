"""Apply the exit rules of campaigns to emails that are about to be sent; a campaign whose rules are broken is paused."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import frappe

from drip_campaigns.campaign.auto_pause import pause_campaign
from drip_campaigns.core.errors import BrokenRuleError
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.db.deadlocks import retry_on_deadlock
from drip_campaigns.exit_rules.apply import exit_before_sending, load_rules


def has_rules(mails: Sequence[frappe._dict]) -> bool:
	"""Return True if the campaign of one of these emails has exit rules."""
	rules = [load_rules(campaign) for campaign in {mail.campaign for mail in mails}]
	return any(found and not found.is_empty for found in rules)


@retry_on_deadlock
def end_enrollments(mails: Sequence[frappe._dict], now: datetime) -> int:
	"""End the enrollments of claimed emails whose exit rules apply at `now`; return how many must not get theirs.

	A campaign whose rules cannot be evaluated is paused, and the emails of the others are sent. This is the whole of its
	transaction, so that it can be repeated after a deadlock.
	"""
	by_campaign: dict[str, list[str]] = defaultdict(list)
	for mail in mails:
		by_campaign[mail.campaign].append(mail.enrollment)
	ended = 0
	for campaign, names in by_campaign.items():
		try:
			ended += exit_before_sending(campaign, names, now)
		except BrokenRuleError as error:
			_pause(campaign, error, now)
			ended += len(names)
	return ended


def _pause(name: str, error: BrokenRuleError, now: datetime) -> None:
	campaign = frappe.get_doc("Drip Campaign", name, for_update=True)
	if campaign.status == CampaignStatus.ACTIVE.value:  # not paused by another worker meanwhile
		pause_campaign(campaign, str(error), now)
