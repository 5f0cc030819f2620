"""The guard of the app's `doc_events` hooks: when they do nothing, and how they log their errors."""

import frappe
from frappe import _

from drip_campaigns.site.error_log import log_failure


def is_silent() -> bool:
	"""Return True during install, migrate, and uninstall, or if a script set `frappe.flags.drip_no_triggers`."""
	flags = frappe.flags
	return bool(flags.drip_no_triggers or flags.in_install or flags.in_migrate or flags.in_uninstall)


def log_doc_event_failure(error: Exception, document) -> None:
	"""Log an error of a `doc_events` hook, so that it never stops the save of `document`."""
	if frappe.db.is_table_missing(error) or frappe.db.is_missing_column(error):
		return  # the app was updated, but the site is not migrated yet
	log_failure(_("Drip Campaigns could not process {0} {1}").format(document.doctype, document.name))
