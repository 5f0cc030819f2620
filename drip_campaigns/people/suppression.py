"""Which addresses get no marketing mail at all: asked here, a batch at a time. Invoices and replies are not our business."""

from collections.abc import Iterable

from frappe import _

from drip_campaigns.core.model import ExitReason, SuppressionReason
from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.addresses import hash_address, normalize

DOCTYPE = "Drip Suppression"
# What an enrollment ends with when its address is suppressed; who opted out has left, as by any other link.
EXIT_REASONS: dict[SuppressionReason, ExitReason | None] = {
	SuppressionReason.OPTED_OUT: None,
	SuppressionReason.HARD_BOUNCE: ExitReason.HARD_BOUNCE,
	SuppressionReason.COMPLAINT: ExitReason.COMPLAINT,
	SuppressionReason.MANUAL: ExitReason.SUPPRESSED,
}


def find_suppressed(addresses: Iterable[str]) -> dict[str, SuppressionReason]:
	"""Return those of `addresses`, normalized, that are suppressed, with the reason: one query, by the addresses' hashes."""
	by_hash = {hash_address(address): normalize(address) for address in set(addresses) if address}
	rows = select_in(DOCTYPE, ["address_hash", "reason"], "address_hash", list(by_hash), lifted=0)
	return {by_hash[row.address_hash]: SuppressionReason(row.reason) for row in rows}


def explain_suppression(reason: SuppressionReason) -> str:
	"""Return the sentence for people and logs."""
	return {
		SuppressionReason.OPTED_OUT: _("has opted out of all marketing email"),
		SuppressionReason.HARD_BOUNCE: _("is suppressed, because the address does not exist"),
		SuppressionReason.COMPLAINT: _("is suppressed, because of a complaint"),
		SuppressionReason.MANUAL: _("is suppressed by a user"),
	}[reason]
