"""Give proofs of consent the hash of their address, under which they outlive an erasure."""

import frappe

from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.people.addresses import hash_address


def execute() -> None:
	"""Fill what is empty; twice is once."""
	filters = {"address_hash": ["is", "not set"], "email_address": ["is", "set"]}
	rows = frappe.get_all("Drip Consent", filters=filters, fields=["name", "email_address"])
	for start in range(0, len(rows), 1000):
		batch = [(row.name, hash_address(row.email_address)) for row in rows[start : start + 1000]]
		set_each("Drip Consent", ("name", "address_hash"), batch)
