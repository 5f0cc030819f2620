"""Drip Campaign Trigger: an event that enrolls people in a campaign. The row's name identifies the trigger."""

from frappe.model.document import Document


class DripCampaignTrigger(Document):
	"""Checked when the campaign is saved (campaign/check_triggers.py)."""
