"""Log errors of background work in Frappe's Error Log, without the values of variables."""

import frappe

LONGEST_TITLE = 140


def log_failure(title: str, error: str = "") -> None:
	"""Insert an Error Log with `error`, or with the current traceback, in the caller's transaction.

	frappe.log_error is not used: its traceback contains local variables, such as addresses, texts, and secrets.
	"""
	log = frappe.get_doc(
		doctype="Error Log", method=title[:LONGEST_TITLE], error=error or frappe.get_traceback()
	)
	# nosemgrep: ignore-permissions - an error is recorded whoever the user is
	log.insert(ignore_permissions=True)
