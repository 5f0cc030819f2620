"""Somebody completes another campaign."""

import frappe
from frappe import _

from drip_campaigns.core.model import EventType, Status
from drip_campaigns.triggers.kind import LogEventKind, Source


class CampaignCompleted(LogEventKind):
	"""Enrolls the person, each time when the enrollment is completed: it may be reopened and completed again."""

	label = "Campaign Completed"
	needed = ("source_campaign",)
	event_type = EventType.COMPLETED
	follows_campaign = True

	def describe(self, row) -> str:
		return _("When someone completes {0}").format(row.source_campaign)

	def occurrence(self, site_now) -> str:
		return str(site_now)

	def find_existing(self, trigger, doctype: str) -> Source:
		enrollment = frappe.qb.DocType("Drip Enrollment")
		query = frappe.qb.from_(enrollment).where(enrollment.campaign == trigger.source_campaign)
		query = query.where(enrollment.status == Status.COMPLETED.value)
		return query.where(enrollment.recipient_type == doctype), enrollment.recipient
