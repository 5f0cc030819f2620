"""Drip Sending Limit: one row of Drip Settings: how many emails may leave in which time."""

from frappe.model.document import Document


class DripSendingLimit(Document):
	"""Read by dispatch/limits.py; what the numbers mean is in core/limits.py."""
