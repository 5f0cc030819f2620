"""Who must not be written to. Consent has one home each: leaving a campaign is an Email Unsubscribe that refers to it.

An existing global Email Unsubscribe is honoured. What follows for enrollments and queued mail is done by
`enrollment/enroll.py`.
"""

from collections.abc import Iterable

import frappe

from drip_campaigns.enrollment.addresses import normalise


def find_left(campaign: str, addresses: Iterable[str]) -> set[str]:
	"""Return those of `addresses`, normalised, that have left this campaign or all mail of the site."""
	wanted = {address for address in addresses if address}
	if not wanted:
		return set()
	# Frappe stores the address as it was typed; the column's collation compares without case.
	unsubscribe = frappe.qb.DocType("Email Unsubscribe")
	left_this = (unsubscribe.reference_doctype == "Drip Campaign") & (unsubscribe.reference_name == campaign)
	spellings = list(wanted | {normalise(address) for address in wanted})
	rows = (
		frappe.qb.from_(unsubscribe)
		.select(unsubscribe.email)
		.where(unsubscribe.email.isin(spellings) & (left_this | (unsubscribe.global_unsubscribe == 1)))
		.run(pluck=True)
	)
	return {normalise(address) for address in rows}


def record_left(campaign: str, address: str) -> None:
	"""Record that `address` left `campaign`; doing so twice is one record."""
	if normalise(address) in find_left(campaign, [address]):
		return
	frappe.get_doc(
		doctype="Email Unsubscribe", email=address, reference_doctype="Drip Campaign", reference_name=campaign
	).insert(ignore_permissions=True)
