"""Compute the hashes of addresses again after their key changed, where the address is stored."""

import frappe
from frappe.utils import create_batch

from drip_campaigns.db.bulk_writes import set_each, set_where
from drip_campaigns.people.addresses import hash_address

BATCH_SIZE = 1000
_NAMED_BY_HASH = ("Drip Suppression", "Drip Recipient Preference")


def rehash_addresses() -> None:
	"""Renew the hashes of suppressions, preferences, list members, consents and emails. Idempotent; does not commit.

	Hashes of erased people stay: only the old key matches them.
	"""
	for doctype in (*_NAMED_BY_HASH, "Drip Target List Member", "Drip Consent", "Drip Email"):
		known = {"email_address": ["is", "set"]}
		if doctype == "Drip Email":  # transactional emails have none
			known["address_hash"] = ["is", "set"]
		rows = frappe.get_all(doctype, filters=known, fields=["name", "email_address"])
		renewed = [(row.name, hash_address(row.email_address)) for row in rows]
		for batch in create_batch(renewed, BATCH_SIZE):
			set_each(doctype, ("name", "address_hash"), batch)
		if doctype in _NAMED_BY_HASH:
			_rename(doctype, dict(renewed))


def _rename(doctype: str, names: dict[str, str]) -> None:
	"""Rename the rows to their new hashes, and move their comments with them."""
	comments = frappe.get_all(
		"Comment", filters={"reference_doctype": doctype}, fields=["name", "reference_name"]
	)
	moved = [(row.name, names[row.reference_name]) for row in comments if row.reference_name in names]
	for batch in create_batch(moved, BATCH_SIZE):
		set_each("Comment", ("name", "reference_name"), batch)
	table = frappe.qb.DocType(doctype)
	known = table.email_address.isnotnull() & (table.email_address != "")
	set_where(doctype, known, {"name": table.address_hash})
