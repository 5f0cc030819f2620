"""The proofs of what people agreed to: a Drip Consent each, which stays when it is taken back, with the time of that.

No network address is kept: that the link from a mailbox was used proves more, and is all that is needed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import frappe

from drip_campaigns.core.consent import ConsentPurpose
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.people.addresses import hash_address, normalize
from drip_campaigns.people.preferences import Preference, load_preference, save_preference
from drip_campaigns.site.clock import to_site


def find_agreed(
	consent_to: ConsentPurpose, addresses: Iterable[str], campaign: str | None = None
) -> set[str]:
	"""Return those of `addresses`, normalized, whose consent to this counts: given, and not taken back."""
	wanted = sorted({normalize(address) for address in addresses if address})
	if not wanted:
		return set()
	filters = _filters(consent_to, ["in", wanted], campaign)
	return set(frappe.get_all("Drip Consent", filters=filters, pluck="email_address"))


def record_consent(
	consent_to: ConsentPurpose, address: str, wording: str, now: datetime, **facts: Any
) -> None:
	"""Keep the proof that `address` agreed to `wording` in the language spoken now; `facts` are further fields."""
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
	"""Note that `address` has taken its consent back, for one campaign or, with None, for all; twice is once."""
	# By name: in an UPDATE, Frappe's "not set" compares a time with an empty text, which MariaDB refuses.
	names = frappe.get_all("Drip Consent", _filters(consent_to, normalize(address), campaign), pluck="name")
	if names:
		frappe.db.set_value("Drip Consent", {"name": ["in", names]}, "withdrawn_at", to_site(now))


def find_proofs(address: str) -> list[str]:
	"""Return the names of all consents of `address`, the latest first, also of somebody who was erased since."""
	filters = {"address_hash": hash_address(address)}
	return frappe.get_all("Drip Consent", filters=filters, order_by="given_at desc", pluck="name")


def delete_old_proofs(now: datetime, kept: timedelta) -> None:
	"""Delete the proofs of people who were erased longer ago than they are `kept`."""
	consent = frappe.qb.DocType("Drip Consent")
	is_anonymous = consent.email_address.isnull() | (consent.email_address == "")
	query = frappe.qb.from_(consent).delete()
	query.where(is_anonymous & (consent.withdrawn_at < to_site(now - kept))).run()


def can_ask_for_tracking(preference: Preference) -> bool:
	"""Say whether there is anything to agree to: a campaign that tracks persons, or an answer to change."""
	individual = {"tracking_mode": TrackingMode.INDIVIDUAL.value}
	return preference.tracking_consent is not None or bool(frappe.db.exists("Drip Campaign", individual))


def record_tracking_answer(address: str, agrees: bool, wording: str, now: datetime) -> None:
	"""Keep what the person says about being tracked as a person; the same answer twice is one proof."""
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
