"""Somebody opens an email of a campaign for the first time."""

from frappe import _

from drip_campaigns.core.model import EventType
from drip_campaigns.triggers.kind import LogEventKind


class EmailOpened(LogEventKind):
	"""Enrolls the person who opened it."""

	label = "Email Opened"
	optional = ("source_campaign",)
	event_type = EventType.OPENED
	needs_tracking = True

	def describe(self, row) -> str:
		if row.source_campaign:
			return _("When someone first opens an email of {0}").format(row.source_campaign)
		return _("When someone first opens an email of any campaign")
