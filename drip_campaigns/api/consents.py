"""What the Desk asks about consents: for Drip Managers."""

import frappe

from drip_campaigns.people.consent_records import find_proofs


@frappe.whitelist(methods=["POST"])
def find_consents(email_address: str) -> dict:
	"""Return which Drip Consents an address has, also of somebody who was erased since. By POST: no address in a URL."""
	frappe.only_for(("Drip Manager", "System Manager"))
	return {"consents": find_proofs(email_address)}
