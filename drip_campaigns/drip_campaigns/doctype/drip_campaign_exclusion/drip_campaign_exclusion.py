"""Drip Campaign Exclusion: whom the campaign never writes to (enrollment/exclusions.py)."""

from frappe.model.document import Document


class DripCampaignExclusion(Document):
	"""Whom the campaign never writes to (enrollment/exclusions.py)."""
