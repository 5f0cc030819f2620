"""Drip Campaign Sender: one of the users between whom a campaign's enrollments are shared out."""

from frappe.model.document import Document


class DripCampaignSender(Document):
	"""Read by enrollment/senders.py."""
