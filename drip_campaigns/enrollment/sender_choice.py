"""Choose the sender of an enrollment: once, when a person is enrolled; the enrollment keeps it."""

from collections.abc import Sequence

import frappe

from drip_campaigns.core.model import SenderRule
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.rendering.sender_rights import find_forbidden


def choose_senders(
	campaign, recipients: Sequence[Recipient], named: str | None = None, *, instead: str | None = None
) -> list[str]:
	"""Return the sender of each of `recipients` by the rule of a Drip Campaign document, in one query for all.

	A user picked by hand, `named`, counts for all; the caller has checked the right to send in that name. Where the rule
	finds no user who can send (no owner, a disabled user, Administrator, a user in whose name the campaign's owner may not
	send), the campaign's own sender is used, else `instead`, else the user who enrolls.
	"""
	if not recipients:
		return []
	rule = _WANTED[SenderRule(campaign.sender_rule or SenderRule.ONE_PERSON.value)]
	wanted = [named] * len(recipients) if named else rule(campaign, recipients)
	by_hand = {named or "", campaign.sender or ""}
	able = find_able(by_hand.union(wanted)) | by_hand.intersection(frappe.STANDARD_USERS)
	able -= find_forbidden(campaign.owner, able - {named or ""})
	fallback = campaign.sender if campaign.sender in able else instead or frappe.session.user
	return [user if user in able else fallback for user in wanted]


def _fixed(campaign, recipients: Sequence[Recipient]) -> list[str]:
	return [""] * len(recipients)


def _owners(campaign, recipients: Sequence[Recipient]) -> list[str]:
	return [recipient.owner for recipient in recipients]


def _in_turn(campaign, recipients: Sequence[Recipient]) -> list[str]:
	able = find_able({row.user for row in campaign.senders})
	users = [row.user for row in campaign.senders if row.user in able]
	if not users:
		return [""] * len(recipients)
	# Redis counts the turns without a lock; a lost counter starts at the first sender again.
	key = frappe.cache.make_key(f"drip_campaigns:turn:{campaign.name}")
	first = frappe.cache.incrby(key, len(recipients)) - len(recipients)
	return [users[(first + number) % len(users)] for number in range(len(recipients))]


def find_able(users: set[str]) -> set[str]:
	"""Return those of `users` who are enabled and have an address of their own."""
	named = [user for user in users if user and user not in frappe.STANDARD_USERS]
	filters = {"name": ["in", named], "enabled": 1}
	return set(frappe.get_all("User", filters=filters, pluck="name")) if named else set()


_WANTED = {
	SenderRule.ONE_PERSON: _fixed,
	SenderRule.RECORD_OWNER: _owners,
	SenderRule.ROUND_ROBIN: _in_turn,
}
