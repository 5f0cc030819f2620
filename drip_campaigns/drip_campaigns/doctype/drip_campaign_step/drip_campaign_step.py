"""Drip Campaign Step: one row of a campaign's schedule. The row's name identifies the step."""

from frappe.model.document import Document


class DripCampaignStep(Document):
	"""Checked when the campaign is saved (campaign/check.py)."""
