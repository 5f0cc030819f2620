"""Drip Event: one entry of a campaign's activity. Written only in batches by the app."""

import frappe
from frappe.model.document import Document

from drip_campaigns.jobs import daily
from drip_campaigns.plans.step_titles import find_step_title
from drip_campaigns.stats import counters


class DripEvent(Document):
	"""One event of an enrollment."""

	@property
	def step_title(self) -> str:
		"""The step's title, for the form."""
		return find_step_title(self.step)

	def on_trash(self) -> None:
		counters.keep_totals_without("name", [self.name])

	@staticmethod
	def clear_old_logs(days: int = 365) -> None:
		"""Delete events older than `days`, but keep their counts. Called by Frappe's Log Settings."""
		daily.clear_events(days)


def on_doctype_update() -> None:
	"""Add the indexes for the activity of a campaign, of one kind, and of all campaigns, and for uncounted events."""
	frappe.db.add_index("Drip Event", ["campaign", "occurred_at"])
	frappe.db.add_index("Drip Event", ["campaign", "event_type", "occurred_at"])
	frappe.db.add_index("Drip Event", ["occurred_at"])
	frappe.db.add_index("Drip Event", ["is_counted", "campaign"])
