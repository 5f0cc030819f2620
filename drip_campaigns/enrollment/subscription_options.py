"""What a person can choose on the preferences page: their lists and campaigns. Nothing here commits.

A request can only change lists and campaigns of its own address.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import frappe

from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.enrollment import unsubscribe as leaving
from drip_campaigns.enrollment.exit import find_live_of
from drip_campaigns.enrollment.list_membership import MEMBER, resubscribe_to_list, unsubscribe_from_list
from drip_campaigns.people.addresses import hash_address
from drip_campaigns.people.opt_outs import find_opted_out_campaigns

LIST, CAMPAIGN = "Drip Target List", "Drip Campaign"


@dataclass(frozen=True)
class SubscriptionOption:
	"""One list or campaign of a person; `key` identifies it in the form without revealing its name."""

	key: str
	doctype: str
	name: str
	title: str
	description: str
	is_on: bool


def load_options(address: str) -> list[SubscriptionOption]:
	"""Return what the person with `address` can choose: lists first, then campaigns, by title."""
	return [*_load_lists(address), *_load_campaigns(address)]


def save_options(address: str, shown: Iterable[str], ticked: Iterable[str], now: datetime) -> bool:
	"""Unsubscribe from what was `shown` and is not `ticked`, resubscribe to what is; return whether anything changed.

	Ignores keys that belong to another address.
	"""
	shown, ticked, changed = set(shown), set(ticked), False
	for choice in load_options(address):
		if choice.key in shown and choice.is_on != (choice.key in ticked):
			_change(choice, address, now)
			changed = True
	return changed


def _change(choice: SubscriptionOption, address: str, now: datetime) -> None:
	if choice.doctype == LIST and choice.is_on:
		unsubscribe_from_list(choice.name, address, now)
	elif choice.doctype == LIST:
		resubscribe_to_list(choice.name, address)
		leaving.resume_ended(address, {"target_list": choice.name}, leaving.BY_RECIPIENT, now)
	elif choice.is_on:
		leaving.unsubscribe_enrollments(find_live_of(address, campaign=choice.name), now)
	else:
		leaving.resubscribe_to_campaign(choice.name, address, leaving.BY_RECIPIENT, now)


def _load_lists(address: str) -> list[SubscriptionOption]:
	filters = {"address_hash": hash_address(address)}
	members = frappe.get_all(MEMBER, filters=filters, fields=["target_list", "opted_out", "removed_at"])
	# A removed member gets no email through the list; an opt-out is shown all the same.
	opted_out = {row.target_list: row.opted_out for row in members if row.opted_out or not row.removed_at}
	if not opted_out:
		return []
	rows = frappe.get_all(
		LIST,
		filters={"name": ["in", list(opted_out)], "show_to_recipients": 1},
		fields=["name", "public_title as title", "public_description as description"],
		order_by="public_title",
	)
	return [_make(LIST, row, address, not opted_out[row.name]) for row in rows]


def _load_campaigns(address: str) -> list[SubscriptionOption]:
	live = _live_campaigns(address)
	wanted = live | find_opted_out_campaigns(address)
	if not wanted:
		return []
	rows = frappe.get_all(
		CAMPAIGN,
		filters={"name": ["in", list(wanted)], "status": ["!=", CampaignStatus.ENDED.value]},
		fields=["name", "campaign_name as title"],
		order_by="campaign_name",
	)
	return [_make(CAMPAIGN, row, address, row.name in live) for row in rows]


def _make(doctype: str, row: Mapping[str, str], address: str, is_on: bool) -> SubscriptionOption:
	secret = "\0".join((doctype, row["name"], hash_address(address)))
	key = hashlib.blake2b(secret.encode(), digest_size=9).hexdigest()
	return SubscriptionOption(key, doctype, row["name"], row["title"], row.get("description") or "", is_on)


def _live_campaigns(address: str) -> set[str]:
	names = find_live_of(address)
	return set(frappe.get_all("Drip Enrollment", filters={"name": ["in", names]}, pluck="campaign"))
