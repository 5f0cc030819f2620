"""Opt-outs. Each scope has one record: for a campaign, an Email Unsubscribe that refers to it; for a list, a flag on
its Drip Target List Member; for all marketing email, a Drip Suppression (`suppression.py`).

A global Email Unsubscribe of Frappe counts, too. `enrollment/unsubscribe.py` ends enrollments and cancels queued email.
"""

from collections.abc import Iterable

import frappe

from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.addresses import hash_address, normalize, spellings


def find_opted_out(campaign: str, addresses: Iterable[str]) -> set[str]:
	"""Return the `addresses`, normalized, that unsubscribed from this campaign or from all email of the site."""
	wanted = {address for address in addresses if address}
	if not wanted:
		return set()
	# Frappe stores the address as the person typed it; the column's collation ignores case.
	spelled = {spelling for address in wanted for spelling in spellings(address)}
	fields = ["email", "reference_doctype", "reference_name", "global_unsubscribe"]
	this = ("Drip Campaign", campaign)
	return {
		normalize(row.email)
		for row in select_in("Email Unsubscribe", fields, "email", sorted(spelled))
		if row.global_unsubscribe or (row.reference_doctype, row.reference_name) == this
	}


def find_opted_out_campaigns(address: str) -> set[str]:
	"""Return the campaigns from which `address` unsubscribed."""
	rows = frappe.get_all(
		"Email Unsubscribe",
		filters={"email": ["in", spellings(address)], "reference_doctype": "Drip Campaign"},
		fields=["email", "reference_name"],
	)
	return {row.reference_name for row in rows if normalize(row.email) == normalize(address)}


def find_opted_out_lists(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
	"""Return the pairs (target list, address) that opted out, with normalized addresses, in one query."""
	spelled = {(name, hash_address(address)): normalize(address) for name, address in pairs if address}
	if not spelled:
		return set()
	hashes = list({address_hash for _name, address_hash in spelled})
	fields = ["target_list", "address_hash"]
	rows = select_in("Drip Target List Member", fields, "address_hash", hashes, opted_out=1)
	keys = {(row.target_list, row.address_hash) for row in rows} & spelled.keys()
	return {(name, spelled[name, address_hash]) for name, address_hash in keys}


def has_opted_out_of_all(address: str) -> bool:
	"""Return whether a global Email Unsubscribe, which is not ours to delete, stops all email of the site to `address`."""
	filters = {"global_unsubscribe": 1, "email": ["in", spellings(address)]}
	found = frappe.get_all("Email Unsubscribe", filters=filters, pluck="email")
	return normalize(address) in {normalize(email) for email in found}


def record_opt_out(campaign: str, address: str) -> None:
	"""Record that `address` unsubscribed from `campaign`, unless it is recorded or the campaign was deleted."""
	if normalize(address) in find_opted_out(campaign, [address]) or not frappe.db.exists(
		"Drip Campaign", campaign
	):
		return
	# nosemgrep: ignore-permissions - an opt-out must not need a right
	frappe.get_doc(
		doctype="Email Unsubscribe", email=address, reference_doctype="Drip Campaign", reference_name=campaign
	).insert(ignore_permissions=True)
	erase_comments(address, campaign)


def erase_comments(address: str, campaign: str | None = None) -> None:
	"""Delete the comments with `address` that Frappe adds to a campaign, or to all: our own log can be erased."""
	filters = {
		"reference_doctype": "Drip Campaign",
		"comment_type": "Label",
		"comment_email": ["in", spellings(address)],
		**({"reference_name": campaign} if campaign else {}),
	}
	frappe.db.delete("Comment", filters)


def remove_opt_out(campaign: str, address: str) -> None:
	"""Delete the opt-out of `address` from `campaign`; a global Email Unsubscribe is not ours to delete."""
	filters = {
		"reference_doctype": "Drip Campaign",
		"reference_name": campaign,
		"email": ["in", spellings(address)],
	}
	for row in frappe.get_all("Email Unsubscribe", filters=filters, fields=["name", "email"]):
		if normalize(row.email) == normalize(address):
			# nosemgrep: ignore-permissions - who may undo an opt-out is checked on the enrollment
			frappe.delete_doc("Email Unsubscribe", row.name, ignore_permissions=True)
