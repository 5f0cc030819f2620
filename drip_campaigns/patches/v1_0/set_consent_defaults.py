"""Give new fields of Drip Settings their defaults on a site that has saved the settings before they were there."""

import frappe

FIELDS = ("confirmation_reminder_days", "confirmation_expiry_days", "tracking_needs_consent")


def execute() -> None:
	"""Write each default once; what somebody has set stays."""
	saved = frappe.db.get_singles_dict("Drip Settings")
	meta = frappe.get_meta("Drip Settings")
	for field in FIELDS:
		if saved.get(field) is None:
			frappe.db.set_single_value("Drip Settings", field, meta.get_field(field).default)
