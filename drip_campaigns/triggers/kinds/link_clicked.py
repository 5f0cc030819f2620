"""Somebody clicks a link of a campaign's email for the first time."""

import frappe
from frappe import _

from drip_campaigns.core.model import EventType
from drip_campaigns.triggers.kind import LogEventKind, Source


class LinkClicked(LogEventKind):
	"""Enrolls the person who clicked; without a link in the row, any link fires it."""

	label = "Link Clicked"
	optional = ("source_campaign", "link_url")
	event_type = EventType.CLICKED
	needs_tracking = True

	def describe(self, row) -> str:
		what = row.link_url or _("any link")
		if row.source_campaign:
			return _("When someone first clicks {0} in {1}").format(what, row.source_campaign)
		return _("When someone first clicks {0} in any campaign").format(what)

	def is_meant(self, trigger, event) -> bool:
		is_link = trigger.link_url in (None, "", event.get("detail"), event.get("link"))
		return is_link and super().is_meant(trigger, event)

	def find_existing(self, trigger, doctype: str) -> Source:
		query, person = super().find_existing(trigger, doctype)
		if trigger.link_url:
			event = frappe.qb.DocType("Drip Event")
			query = query.where((event.detail == trigger.link_url) | (event.link == trigger.link_url))
		return query, person
