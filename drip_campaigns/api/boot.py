"""What every page of the Desk knows from its start: the kinds of record that can be added to a campaign."""

import frappe

from drip_campaigns.people.recipient_types import available_types


def add_recipient_types(bootinfo: dict) -> None:
	"""Name the recipient types to those who may enroll; the forms and lists of these get a button."""
	may_enroll = frappe.has_permission("Drip Enrollment", "create")
	bootinfo["drip_recipient_types"] = available_types() if may_enroll else []
