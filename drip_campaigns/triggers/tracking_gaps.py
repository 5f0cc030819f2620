"""Why the opens and clicks for which a trigger waits are never recorded, or only for people who agreed. Reads only."""

import frappe
from frappe import _

from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.people.preferences import load_preference
from drip_campaigns.people.recipients import load_recipients
from drip_campaigns.site.settings import tracking_needs_consent
from drip_campaigns.triggers.registry import TRIGGER_KINDS

INDIVIDUAL = TrackingMode.INDIVIDUAL.value


def explain_gap(row) -> str:
	"""Return why a trigger can fire for nobody, or only for people who agreed to tracking; empty for any other trigger."""
	if not TRIGGER_KINDS.get(row.kind).needs_tracking:
		return ""
	return _explain_mode(row.source_campaign) or explain_consent()


def explain_gap_for(row, recipient_type: str, recipient: str) -> str:
	"""Return why a trigger can't fire for one record because of tracking; empty if it can."""
	if reason := _explain_mode(row.source_campaign):
		return reason
	found = load_recipients(recipient_type, [recipient], whole=False).get(recipient)
	consent = load_preference(found.email).tracking_consent if found and found.email else None
	if consent is False:
		return _(
			"This person refused tracking, so opens and clicks of this person are only counted, without a name."
		)
	if consent is None and tracking_needs_consent():
		return _(
			"This person has not agreed to tracking, so opens and clicks of this person are only counted, without a name. See Require Tracking Consent in Drip Settings."
		)
	return ""


def explain_consent() -> str:
	"""Return that opens and clicks are recorded only of people who agreed; empty if the settings require no consent."""
	if not tracking_needs_consent():
		return ""
	return _(
		"Only opens and clicks of people who agreed to tracking on their preferences page are recorded. To change this, untick Require Tracking Consent in Drip Settings."
	)


def _explain_mode(source_campaign: str | None) -> str:
	if source_campaign:
		mode = (
			frappe.db.get_value("Drip Campaign", source_campaign, "tracking_mode") or TrackingMode.NONE.value
		)
		sentence = _(
			"Campaign {0} does not record who opens and clicks (Tracking Mode: {1}), so it enrolls nobody. Choose Individual there."
		)
		return "" if mode == INDIVIDUAL else sentence.format(source_campaign, _(mode))
	recording = {"tracking_mode": INDIVIDUAL, "status": ["!=", CampaignStatus.ENDED.value]}
	if frappe.db.exists("Drip Campaign", recording):
		return ""
	return _(
		"No campaign records who opens and clicks, so it enrolls nobody. In the campaigns that it is about, choose the Tracking Mode Individual."
	)
