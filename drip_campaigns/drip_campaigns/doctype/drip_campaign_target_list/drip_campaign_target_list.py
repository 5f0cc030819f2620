"""Drip Campaign Target List: a list whose people belong on the campaign."""

from frappe.model.document import Document


class DripCampaignTargetList(Document):
	"""A list whose people belong on the campaign."""
