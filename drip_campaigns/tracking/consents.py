"""The proofs of what people agreed to: a Drip Consent each, which stays when it is taken back, with the time of that.

No network address is kept: that the link from a mailbox was used proves more, and is all that is needed.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.core.consent import ConsentTo
from drip_campaigns.core.tracking_mode import TrackingMode
from drip_campaigns.enrollment.addresses import normalise
from drip_campaigns.site_clock import to_site
from drip_campaigns.tracking.preferences import Preference, keep_preference, load_preference


def find_agreed(consent_to: ConsentTo, addresses: Iterable[str], campaign: str | None = None) -> set[str]:
	"""Return those of `addresses`, normalised, whose consent to this counts: given, and not taken back."""
	wanted = sorted({normalise(address) for address in addresses if address})
	if not wanted:
		return set()
	filters = _filters(consent_to, ["in", wanted], campaign)
	return set(frappe.get_all("Drip Consent", filters=filters, pluck="email_address"))


def record_consent(consent_to: ConsentTo, address: str, wording: str, now: datetime, **facts: Any) -> None:
	"""Keep the proof that `address` agreed to `wording` in the language spoken now; `facts` are further fields."""
	frappe.get_doc(
		doctype="Drip Consent",
		consent_to=consent_to.value,
		email_address=normalise(address),
		given_at=to_site(now),
		wording=wording,
		language=frappe.local.lang,
		**facts,
	).insert(ignore_permissions=True)


def withdraw_consent(consent_to: ConsentTo, address: str, campaign: str | None, now: datetime) -> None:
	"""Note that `address` has taken its consent back, for one campaign or, with None, for all; twice is once."""
	filters = _filters(consent_to, normalise(address), campaign)
	frappe.db.set_value("Drip Consent", filters, "withdrawn_at", to_site(now))


def may_be_asked(preference: Preference) -> bool:
	"""Say whether there is anything to agree to: a campaign that tracks persons, or an answer to change."""
	individual = {"tracking_mode": TrackingMode.INDIVIDUAL.value}
	return preference.tracking_consent is not None or bool(frappe.db.exists("Drip Campaign", individual))


def answer_tracking(address: str, agrees: bool, wording: str, now: datetime) -> None:
	"""Keep what the person says about being tracked as a person; the same answer twice is one proof."""
	before = load_preference(address).tracking_consent
	if before is agrees:
		return
	keep_preference(address, tracking_consent=int(agrees), tracking_consent_at=to_site(now))
	if agrees:
		record_consent(ConsentTo.TRACKING, address, wording, now)
	else:
		withdraw_consent(ConsentTo.TRACKING, address, None, now)


def _filters(consent_to: ConsentTo, address: Any, campaign: str | None) -> dict[str, Any]:
	filters = {"consent_to": consent_to.value, "email_address": address, "withdrawn_at": ["is", "not set"]}
	return {**filters, "campaign": campaign} if campaign else filters
