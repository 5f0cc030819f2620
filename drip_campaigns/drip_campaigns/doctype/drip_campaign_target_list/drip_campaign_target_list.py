"""Drip Campaign Target List: a list whose members a campaign includes."""

from frappe.model.document import Document


class DripCampaignTargetList(Document):
	"""Used by `lists/`."""
