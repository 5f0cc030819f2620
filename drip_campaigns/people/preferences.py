"""The preferences that people set: language, time zone, a pause, tracking. Stored by address, read in batches.

Opt-outs and consents are elsewhere: `opt_outs.py`, `consent_records.py`.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.db.dialect import select_in
from drip_campaigns.db.single_writes import write_fields
from drip_campaigns.people.addresses import hash_address, normalize
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.people.recipients import Recipient, load_recipients
from drip_campaigns.site.clock import from_site

DOCTYPE = "Drip Recipient Preference"


@dataclass(frozen=True)
class Preference:
	"""The preferences of one address; an empty value means that the person set none."""

	language: str = ""
	time_zone: str | None = None
	paused_until: datetime | None = None
	tracking_consent: bool | None = None  # None: the person did not answer

	def is_paused_at(self, now: datetime) -> bool:
		"""Return whether the pause that the person asked for lasts at `now`."""
		return self.paused_until is not None and self.paused_until > now


NO_PREFERENCE = Preference()


def load_preferences(addresses: Iterable[str]) -> dict[str, Preference]:
	"""Return the preferences by address, normalized, in one query; addresses without any are omitted."""
	by_hash = {hash_address(address): normalize(address) for address in set(addresses) if address}
	if not by_hash:
		return {}
	fields = ["address_hash", "preferred_language", "time_zone", "paused_until"]
	fields += ["tracking_consent", "tracking_consent_at"]
	rows = select_in(DOCTYPE, fields, "address_hash", list(by_hash))
	return {by_hash[row.pop("address_hash")]: _make(row) for row in rows}


def load_preference(address: str) -> Preference:
	"""Return the preferences of one address."""
	return load_preferences([address]).get(normalize(address), NO_PREFERENCE)


def find_tracking_refused(addresses: Iterable[str]) -> set[str]:
	"""Return the `addresses`, normalized, that refused individual tracking."""
	preferences = load_preferences(addresses)
	return {address for address, preference in preferences.items() if preference.tracking_consent is False}


def apply_preference(recipient: Recipient, preference: Preference) -> Recipient:
	"""Return the recipient with the person's own preferences, which have priority over the record's fields."""
	if preference == NO_PREFERENCE:
		return recipient
	return dataclasses.replace(
		recipient,
		language=preference.language or recipient.language,
		time_zone=preference.time_zone or recipient.time_zone,
		tracking_consent=preference.tracking_consent,
	)


def find_language_of(doctype: str, name: str) -> str | None:
	"""Return the language that a person chose, else the one of their record, else None."""
	if doctype not in available_types():
		return None
	recipient = load_recipients(doctype, [name], whole=False).get(name)
	return apply_preference(recipient, load_preference(recipient.email)).language if recipient else None


def save_preference(address: str, **values: Any) -> None:
	"""Store these preferences of `address`; the others stay. Two at the same time make one record."""
	name = frappe.db.get_value(DOCTYPE, {"address_hash": hash_address(address)})
	if not name:
		document = frappe.get_doc(doctype=DOCTYPE, email_address=address)
		# nosemgrep: ignore-permissions - what a recipient states on their page needs no right
		name = document.insert(ignore_permissions=True, ignore_if_duplicate=True).name
		# Frappe fills a new record with the site's time zone, which the person did not choose.
		values = {"time_zone": None, **values}
	write_fields(frappe.get_doc(DOCTYPE, name), values)


def _make(row: frappe._dict) -> Preference:
	return Preference(
		language=row.preferred_language or "",
		time_zone=row.time_zone or None,
		paused_until=from_site(row.paused_until),
		tracking_consent=bool(row.tracking_consent) if row.tracking_consent_at else None,
	)
