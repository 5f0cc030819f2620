"""Fire triggers for integrators, and enroll people who met a trigger before. For signed-in users."""

import json

import frappe
from frappe import _
from frappe.rate_limiter import rate_limit

from drip_campaigns.api.errors import explained
from drip_campaigns.core.errors import DripError
from drip_campaigns.site.clock import utc_now
from drip_campaigns.triggers import api_triggers, backfill


@frappe.whitelist(methods=["POST"])
@rate_limit(limit=6000, seconds=3600)
@explained
def trigger_campaign(
	event_name: str,
	recipient_type: str,
	recipient: str,
	campaign: str | None = None,
	key: str | None = None,
) -> dict:
	"""Fire the API Call triggers named `event_name` for one record; return the campaigns with such a trigger.

	With a `key`, for example the id of an order, a repeated call counts once.
	"""
	frappe.has_permission("Drip Enrollment", "create", throw=True)
	frappe.has_permission(recipient_type, "read", recipient, throw=True)
	return {
		"campaigns": api_triggers.fire_api_trigger(
			event_name, recipient_type, recipient, campaign, key, utc_now()
		)
	}


@frappe.whitelist(methods=["GET"])
@explained
def count_existing(campaign: str) -> list[dict]:
	"""Return how many people who met a trigger of a campaign before would be enrolled now, by trigger and recipient type."""
	return backfill.count_existing(_get_to_enroll(campaign), utc_now())


@frappe.whitelist(methods=["POST"])
@explained
def backfill_existing(campaign: str, audiences: str) -> dict:
	"""Enroll people who met triggers before, in the background: a JSON list of trigger, recipient_type and count."""
	document = _get_to_enroll(campaign)
	return {"runs": api_triggers.backfill(document, _read_audiences(audiences), utc_now())}


def _get_to_enroll(campaign: str):
	document = frappe.get_doc("Drip Campaign", campaign)
	document.check_permission("write")
	frappe.has_permission("Drip Bulk Enrollment", "create", throw=True)
	return document


def _read_audiences(text: str) -> list[dict]:
	try:
		audiences = json.loads(text)
		if isinstance(audiences, list) and all(map(_is_audience, audiences)):
			return audiences
	except (ValueError, RecursionError) as error:
		raise DripError(_("The audiences cannot be read: {0}. Send a JSON list.").format(error)) from error
	raise DripError(_("Each audience needs trigger and recipient_type."))


def _is_audience(row) -> bool:
	return isinstance(row, dict) and all(
		isinstance(row.get(key), str) for key in ("trigger", "recipient_type")
	)
