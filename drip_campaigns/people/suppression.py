"""The addresses that get no marketing email, checked for a batch. Invoices and replies are not affected."""

from collections.abc import Iterable

from frappe import _

from drip_campaigns.core.model import ExitReason, SuppressionReason
from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.addresses import hash_address, normalize

DOCTYPE = "Drip Suppression"
# The exit reason of an enrollment whose address is suppressed; an opt-out unsubscribes instead.
EXIT_REASONS: dict[SuppressionReason, ExitReason | None] = {
	SuppressionReason.OPTED_OUT: None,
	SuppressionReason.HARD_BOUNCE: ExitReason.HARD_BOUNCE,
	SuppressionReason.COMPLAINT: ExitReason.COMPLAINT,
	SuppressionReason.MANUAL: ExitReason.SUPPRESSED,
}


def find_suppressed(addresses: Iterable[str]) -> dict[str, SuppressionReason]:
	"""Return the suppressed `addresses`, normalized, with the reason, in one query by hash."""
	by_hash = {hash_address(address): normalize(address) for address in set(addresses) if address}
	rows = select_in(DOCTYPE, ["address_hash", "reason"], "address_hash", list(by_hash), lifted=0)
	return {by_hash[row.address_hash]: SuppressionReason(row.reason) for row in rows}


def explain_suppression(reason: SuppressionReason) -> str:
	"""Return the reason as the end of a sentence, for people and logs."""
	return {
		SuppressionReason.OPTED_OUT: _("has opted out of all marketing email"),
		SuppressionReason.HARD_BOUNCE: _("is suppressed, because the address does not exist"),
		SuppressionReason.COMPLAINT: _("is suppressed, because of a complaint"),
		SuppressionReason.MANUAL: _("is suppressed by a user"),
	}[reason]
