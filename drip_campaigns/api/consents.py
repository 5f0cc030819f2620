"""Consent records for Desk. For Drip Managers."""

import frappe

from drip_campaigns.people.consent_records import find_proofs


@frappe.whitelist(methods=["POST"])
def find_consents(email_address: str) -> dict:
	"""Return the Drip Consents of an address, also of an erased person. By POST, to keep addresses out of URLs."""
	frappe.only_for(("Drip Manager", "System Manager"))
	return {"consents": find_proofs(email_address)}
