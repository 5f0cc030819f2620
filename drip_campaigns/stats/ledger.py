"""The ledger of a campaign: every enrollment and every email stands on exactly one card. Reads only."""

from dataclasses import dataclass

import frappe
from frappe import _
from frappe.query_builder.functions import Count

from drip_campaigns.core.model import EmailStatus, Status

ENROLLMENT, EMAIL = "Drip Enrollment", "Drip Email"


@dataclass(frozen=True)
class Card:
	"""A number on the campaign's form: the rows of `doctype` in one of `statuses`."""

	key: str
	doctype: str
	statuses: tuple[str, ...]
	is_bad: bool = False
	is_always_shown: bool = False


CARDS = (
	*(
		Card(
			status.value,
			ENROLLMENT,
			(status.value,),
			is_bad=status is Status.FAILED,
			is_always_shown=status in (Status.SCHEDULED, Status.IN_PROGRESS, Status.COMPLETED),
		)
		for status in Status
	),
	Card("waiting", EMAIL, (EmailStatus.QUEUED.value, EmailStatus.SENDING.value)),
	Card("sent", EMAIL, (EmailStatus.SENT.value,), is_always_shown=True),
	Card("skipped", EMAIL, (EmailStatus.SKIPPED.value,)),
	Card("failed", EMAIL, (EmailStatus.FAILED.value,), is_bad=True),
	Card("in_doubt", EMAIL, (EmailStatus.IN_DOUBT.value,), is_bad=True),
)


def read_ledger(campaign: str) -> dict[str, int]:
	"""Return due, sent, skipped, failed, waiting, and in_doubt of a campaign: due is the sum of the others.

	Every step that became due has exactly one Drip Email, so a due step cannot be missing.
	"""
	counts = count_rows(EMAIL, campaign)
	cards = [card for card in CARDS if card.doctype == EMAIL]
	parts = {card.key: sum(counts.get(status, 0) for status in card.statuses) for card in cards}
	return {"due": sum(counts.values()), **parts}


def make_cards(counts: dict[str, dict[str, int]]) -> list[dict]:
	"""Return the cards to show, of the counts by DocType and status: those with a number, and those always shown."""
	shown = []
	for card in CARDS:
		number = sum(counts[card.doctype].get(status, 0) for status in card.statuses)
		if number or card.is_always_shown:
			what = {"doctype": card.doctype, "statuses": list(card.statuses), "count": number}
			shown.append({**what, "label": _label(card), "is_bad": card.is_bad and bool(number)})
	return shown


def count_rows(doctype: str, campaign: str) -> dict[str, int]:
	"""Return how many rows of a campaign have each status."""
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.from_(table).select(table.status, Count(table.name)).groupby(table.status)
	return dict(query.where(table.campaign == campaign).run())


def _label(card: Card) -> str:
	labels = {
		"waiting": _("Emails Waiting"),
		"sent": _("Emails Sent"),
		"skipped": _("Emails Skipped"),
		"failed": _("Emails Failed"),
		"in_doubt": _("Emails In Doubt"),
	}
	return labels.get(card.key) or _(card.key)
