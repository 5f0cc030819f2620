"""The proofs of what people agreed to: a Drip Consent each, which stays when it is taken back, with the time of that.

No network address is kept: that the link from a mailbox was used proves more, and is all that is needed.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.core.consent import ConsentTo
from drip_campaigns.enrollment.addresses import normalise
from drip_campaigns.site_clock import to_site


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


def _filters(consent_to: ConsentTo, address: Any, campaign: str | None) -> dict[str, Any]:
	filters = {"consent_to": consent_to.value, "email_address": address, "withdrawn_at": ["is", "not set"]}
	return {**filters, "campaign": campaign} if campaign else filters
