"""What goes wrong where nobody looks on stands in Frappe's Error Log, without the values that were at hand."""

import frappe

LONGEST_TITLE = 140


def log_failure(title: str, error: str = "") -> None:
	"""Write a line into the Error Log, in the caller's transaction: `error`, or the traceback of what is being handled.

	Not by frappe.log_error, whose traceback holds the local variables of every call: addresses, texts, secrets.
	"""
	log = frappe.get_doc(
		doctype="Error Log", method=title[:LONGEST_TITLE], error=error or frappe.get_traceback()
	)
	log.insert(ignore_permissions=True)
