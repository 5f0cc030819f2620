"""Drip Campaign Trigger: what enrolls people in a campaign by itself. Its name is the identity of the trigger."""

from frappe.model.document import Document


class DripCampaignTrigger(Document):
	"""Checked by the campaign (campaign/check_triggers.py)."""
