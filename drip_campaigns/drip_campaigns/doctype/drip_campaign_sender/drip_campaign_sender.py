"""Drip Campaign Sender: one of the users who share a campaign's new enrollments."""

from frappe.model.document import Document


class DripCampaignSender(Document):
	"""Used by enrollment/sender_choice.py."""
