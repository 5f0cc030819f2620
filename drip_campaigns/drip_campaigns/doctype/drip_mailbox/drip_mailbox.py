"""Drip Mailbox: the mailbox that receives the bounces and replies of an Email Account."""

from frappe.model.document import Document


class DripMailbox(Document):
	"""One row of Drip Settings."""
