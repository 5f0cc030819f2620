"""Find our email that a message is about: by a tag that we signed, or by a Message-ID that only its recipient knows."""

from collections.abc import Iterable

import frappe

from drip_campaigns.core.inbound.message_reference import find_tag
from drip_campaigns.core.tracking.tokens import InvalidTokenError, read_tag
from drip_campaigns.people.addresses import normalize, spellings
from drip_campaigns.site.signing_keys import token_keys

FIELDS = (
	*("name", "enrollment", "campaign", "step", "subject", "status", "bounce", "sent_at", "email_address"),
	*("recipient_type", "recipient", "communication", "email_queue"),
)


def find_email(addresses: Iterable[str], message_ids: Iterable[str]) -> frappe._dict | None:
	"""Return the Drip Email that a tag in `addresses` or else one of the Message-IDs names, or None."""
	tagged = _read_tags(addresses)
	if tagged and (found := _find({"name": ["in", tagged]})):
		return found
	message_ids = list(message_ids)
	return _find({"message_id": ["in", message_ids]}) if message_ids else None


def find_latest_to(address: str) -> frappe._dict | None:
	"""Return the latest email that was sent to an address. Use it only for events whose sender is verified."""
	filters = {"email_address": ["in", spellings(address)], "sent_at": ["is", "set"]}
	rows = frappe.get_all(
		"Drip Email", filters=filters, fields=list(FIELDS), order_by="sent_at desc", limit=5
	)
	return next((row for row in rows if normalize(row.email_address) == normalize(address)), None)


def is_sent_to(mail: frappe._dict, address: str) -> bool:
	"""Return whether an email was sent to this address."""
	return normalize(mail.email_address) == normalize(address)


def _read_tags(addresses: Iterable[str]) -> list[str]:
	names, keys = [], None
	for tag in filter(None, map(find_tag, addresses)):
		keys = keys or token_keys()
		try:
			names.append(read_tag(tag, keys))
		except InvalidTokenError:
			continue  # another system's plus address, or a forged one
	return names


def _find(filters: dict) -> frappe._dict | None:
	rows = frappe.get_all(
		"Drip Email", filters=filters, fields=list(FIELDS), order_by="creation desc", limit=1
	)
	return rows[0] if rows else None
