"""Drip Sending Block: an Email Account that is slowed down or held, because a mail server complained about it."""

from frappe.model.document import Document


class DripSendingBlock(Document):
	"""Written by `dispatch/brakes.py`; deleting it lets the account go on."""
