"""After the key that addresses are hashed with was changed for good: work the hashes out anew, where the address is known."""

import frappe
from frappe.utils import create_batch

from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.people.addresses import hash_address

BATCH_SIZE = 1000
_NAMED_BY_HASH = ("Drip Suppression", "Drip Recipient Preference")


def rehash_addresses() -> None:
	"""Renew the hashes of suppressions, preferences, list members, consents and emails; of erased people only the old key knows any more.

	Does not commit. Doing so twice is doing it once.
	"""
	for doctype in (*_NAMED_BY_HASH, "Drip Target List Member", "Drip Consent", "Drip Email"):
		known = {"email_address": ["is", "set"]}
		if doctype == "Drip Email":  # those that are not marketing have none
			known["address_hash"] = ["is", "set"]
		rows = frappe.get_all(doctype, filters=known, fields=["name", "email_address"])
		renewed = [(row.name, hash_address(row.email_address)) for row in rows]
		for batch in create_batch(renewed, BATCH_SIZE):
			set_each(doctype, ("name", "address_hash"), batch)
		if doctype in _NAMED_BY_HASH:
			_rename(doctype, dict(renewed))


def _rename(doctype: str, names: dict[str, str]) -> None:
	"""Name the rows by their new hashes, their comments following them."""
	comments = frappe.get_all(
		"Comment", filters={"reference_doctype": doctype}, fields=["name", "reference_name"]
	)
	moved = [(row.name, names[row.reference_name]) for row in comments if row.reference_name in names]
	for batch in create_batch(moved, BATCH_SIZE):
		set_each("Comment", ("name", "reference_name"), batch)
	table = frappe.qb.DocType(doctype)
	known = table.email_address.isnotnull() & (table.email_address != "")
	frappe.qb.update(table).set(table.name, table.address_hash).where(known).run()
