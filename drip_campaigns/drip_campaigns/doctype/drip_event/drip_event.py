"""Drip Event: one line of the campaign's log. Written in batches, never by hand."""

import frappe
from frappe.model.document import Document

from drip_campaigns.jobs import daily
from drip_campaigns.stats import counters


class DripEvent(Document):
	"""Something that happened to an enrollment."""

	def on_trash(self) -> None:
		counters.keep_totals_without("name", [self.name])

	@staticmethod
	def clear_old_logs(days: int = 365) -> None:
		"""Called by Frappe's Log Settings: forget the lines of the log that are older, and keep what they count."""
		daily.clear_events(days)


def on_doctype_update() -> None:
	"""The indexes behind the log: of a campaign, of one kind, of everything, and what is not counted yet."""
	frappe.db.add_index("Drip Event", ["campaign", "occurred_at"])
	frappe.db.add_index("Drip Event", ["campaign", "event_type", "occurred_at"])
	frappe.db.add_index("Drip Event", ["occurred_at"])
	frappe.db.add_index("Drip Event", ["is_counted", "campaign"])
