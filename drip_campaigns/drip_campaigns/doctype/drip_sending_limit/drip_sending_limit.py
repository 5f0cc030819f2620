"""Drip Sending Limit: one row of Drip Settings, the number of emails allowed in an hour and a day."""

from frappe.model.document import Document


class DripSendingLimit(Document):
	"""Used by outbox/sending_limits.py; core/schedule/sending_limits.py defines the numbers."""
