"""Drip Campaign Exclusion: a list, mail domain, or address that a campaign never sends to."""

from frappe.model.document import Document


class DripCampaignExclusion(Document):
	"""Used by people/exclusions.py."""
