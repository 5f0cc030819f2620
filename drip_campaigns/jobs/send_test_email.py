"""Send one test email right away. It is in Frappe's Email Queue, which sends it later if this job is lost."""

import frappe

from drip_campaigns.site.error_log import log_failure


def send(queue_name: str) -> None:
	"""Send the row `queue_name` of the Email Queue as the site: the user who asked for it may not read the queue.

	A failure is on the row for Frappe's next attempt, and in the Error Log without the values of variables.
	"""
	try:
		frappe.get_doc("Email Queue", queue_name).send()
	except Exception:  # noqa: BLE001 -- SMTP, TLS, and the account raise many
		log_failure("Drip Campaigns: a test email could not be sent")
