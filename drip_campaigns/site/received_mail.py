"""Tell a received email from a Communication that says so: anyone who may write to a record can make one."""

from frappe.model.document import Document


def is_received(communication: Document) -> bool:
	"""Return whether Frappe's mail receiver is making this Communication from an email of an Email Account.

	The receiver sets the flag. A request cannot: Frappe ignores `flags` in what a request sends.
	"""
	return bool(communication.flags.in_receive)
