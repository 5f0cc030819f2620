"""Fire the triggers that another system calls, and enroll the people who met a trigger before, when a user asks for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.site.clock import site_date, to_site
from drip_campaigns.site.row_names import new_name
from drip_campaigns.triggers.firings import Firing, record_firings
from drip_campaigns.triggers.kind import API_CALLS
from drip_campaigns.triggers.trigger_cache import find_watching


class NoTriggerError(DripError):
	"""No running campaign has a trigger for this call."""


def fire_api_trigger(
	event_name: str, recipient_type: str, recipient: str, campaign: str | None, key: str | None, now: datetime
) -> list[str]:
	"""Fire every trigger that waits for `event_name`, for one record; return the campaigns.

	The same `key` fires once. Raises NoTriggerError if no trigger waits for the name.
	"""
	wanted = event_name.strip().casefold()
	waiting = [
		row
		for row in find_watching(API_CALLS)
		if (row.event_name or "").strip().casefold() == wanted
		and row.recipient_type in (None, "", recipient_type)
		and campaign in (None, "", row.parent)
	]
	if not waiting:
		message = _("No running campaign has a trigger for the call “{0}” and {1} records. Check the name.")
		raise NoTriggerError(message.format(event_name[:140], _(recipient_type)))
	if recipient_type not in available_types() or not frappe.db.exists(recipient_type, recipient):
		message = _("{0} {1} doesn't exist or cannot be enrolled. Name an existing record.")
		raise DripError(message.format(_(recipient_type), recipient))
	occurrence = key or new_name()
	record_firings(
		[Firing(row, recipient_type, recipient, occurrence, event_name) for row in waiting], to_site(now)
	)
	return sorted({row.parent for row in waiting})


def backfill(campaign, audiences: Sequence[Mapping[str, Any]], now: datetime) -> list[str]:
	"""Start a Drip Bulk Enrollment for each audience (trigger, recipient_type, confirmed total); return their names."""
	known = {row.name for row in [*campaign.triggers, *campaign.target_lists]}
	runs = []
	for audience in audiences:
		if audience["trigger"] not in known:
			raise DripError(_("A trigger was removed from the campaign. Reload the form."))
		run = frappe.get_doc(
			doctype="Drip Bulk Enrollment",
			campaign=campaign.name,
			campaign_trigger=audience["trigger"],
			recipient_type=audience["recipient_type"],
			start_date=site_date(now),
			confirmed_count=audience.get("total") or audience.get("count") or 0,
		)
		runs.append(run.insert().name)
	return runs
