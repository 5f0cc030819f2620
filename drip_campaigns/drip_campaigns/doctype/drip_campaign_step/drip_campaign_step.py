"""Drip Campaign Step: one row of a campaign's schedule. Its name is the identity of the step."""

from frappe.model.document import Document


class DripCampaignStep(Document):
	"""Checked by the campaign (campaign/check.py)."""
