"""Consents as proof: a Drip Consent each, which stays after a withdrawal, with its time.

No IP address is stored: the use of a link that we sent to the mailbox proves more.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import frappe

from drip_campaigns.core.model import ConsentPurpose
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.db.single_writes import write_values
from drip_campaigns.people.addresses import hash_address, normalize
from drip_campaigns.people.preferences import Preference, load_preference, save_preference
from drip_campaigns.site.clock import to_site


def find_agreed(
	consent_to: ConsentPurpose, addresses: Iterable[str], campaign: str | None = None
) -> set[str]:
	"""Return the `addresses`, normalized, whose consent to this is given and not withdrawn."""
	wanted = sorted({normalize(address) for address in addresses if address})
	if not wanted:
		return set()
	filters = _filters(consent_to, ["in", wanted], campaign)
	return set(frappe.get_all("Drip Consent", filters=filters, pluck="email_address"))


def record_consent(
	consent_to: ConsentPurpose, address: str, wording: str, now: datetime, **facts: Any
) -> None:
	"""Record that `address` agreed to `wording` in the current language; `facts` are further fields."""
	# nosemgrep: ignore-permissions - what a recipient states on their page needs no right
	frappe.get_doc(
		doctype="Drip Consent",
		consent_to=consent_to.value,
		email_address=normalize(address),
		address_hash=hash_address(address),
		given_at=to_site(now),
		wording=wording,
		language=frappe.local.lang,
		**facts,
	).insert(ignore_permissions=True)


def withdraw_consent(consent_to: ConsentPurpose, address: str, campaign: str | None, now: datetime) -> None:
	"""Record that `address` withdrew its consent, for one campaign or, with None, for all. Idempotent."""
	# By name: in an UPDATE, Frappe's "not set" compares a time with an empty text, which MariaDB rejects.
	names = frappe.get_all("Drip Consent", _filters(consent_to, normalize(address), campaign), pluck="name")
	if names:
		write_values("Drip Consent", {"name": ["in", names]}, {"withdrawn_at": to_site(now)})


def withdraw_consents(consent_to: ConsentPurpose, addresses: Iterable[str], now: datetime) -> None:
	"""Record that `addresses` withdrew their consent for all campaigns. Idempotent."""
	wanted = sorted({normalize(address) for address in addresses})
	filters = _filters(consent_to, ["in", wanted], None)
	names = frappe.get_all("Drip Consent", filters, pluck="name") if wanted else []
	if names:
		write_values("Drip Consent", {"name": ["in", names]}, {"withdrawn_at": to_site(now)})


def find_proofs(address: str) -> list[str]:
	"""Return the names of all consents of `address`, the latest first, also after its data was erased."""
	filters = {"address_hash": hash_address(address)}
	return frappe.get_all("Drip Consent", filters=filters, order_by="given_at desc", pluck="name")


def delete_old_proofs(now: datetime, kept: timedelta) -> None:
	"""Delete the consents of people whose data was erased more than `kept` before `now`."""
	consent = frappe.qb.DocType("Drip Consent")
	is_anonymous = consent.email_address.isnull() | (consent.email_address == "")
	query = frappe.qb.from_(consent).delete()
	query.where(is_anonymous & (consent.withdrawn_at < to_site(now - kept))).run()


def can_ask_for_tracking(preference: Preference) -> bool:
	"""Return whether there is a question to ask: a campaign tracks individuals, or the person has answered before."""
	individual = {"tracking_mode": TrackingMode.INDIVIDUAL.value}
	return preference.tracking_consent is not None or bool(frappe.db.exists("Drip Campaign", individual))


def record_tracking_answer(address: str, agrees: bool, wording: str, now: datetime) -> None:
	"""Record whether the person agrees to individual tracking; the same answer twice is one consent."""
	before = load_preference(address).tracking_consent
	if before is agrees:
		return
	save_preference(address, tracking_consent=int(agrees), tracking_consent_at=to_site(now))
	if agrees:
		record_consent(ConsentPurpose.TRACKING, address, wording, now)
	else:
		withdraw_consent(ConsentPurpose.TRACKING, address, None, now)


def _filters(consent_to: ConsentPurpose, address: Any, campaign: str | None) -> dict[str, Any]:
	filters = {"consent_to": consent_to.value, "email_address": address, "withdrawn_at": ["is", "not set"]}
	return {**filters, "campaign": campaign} if campaign else filters
