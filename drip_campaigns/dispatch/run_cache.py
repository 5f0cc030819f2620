"""Cache the prepared campaigns of one dispatch between its batches, until they change."""

import time
from datetime import datetime
from typing import NamedTuple

import frappe

from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.dispatch.campaign_run import CampaignRun
from drip_campaigns.site.settings import max_attempts, postal_address

KEPT_SECONDS = 10  # an Email Template or an Email Account may change, too, and is not checked


class _Kept(NamedTuple):
	modified: datetime
	made_at: float
	run: CampaignRun


class RunCache:
	"""The runs of one dispatch, by campaign. A run is kept for the next batch only if its batch was committed."""

	def __init__(self) -> None:
		self._kept: dict[str, _Kept] = {}
		self._in_use: dict[str, _Kept] = {}

	def start(self, campaign: str) -> CampaignRun | None:
		"""Return the run of an active campaign, prepared again after each change; None if the campaign may not send."""
		kept = self._kept.pop(campaign, None)
		state = frappe.db.get_value("Drip Campaign", campaign, ["status", "modified"], as_dict=True)
		if state is None or state.status != CampaignStatus.ACTIVE.value:
			return None
		if kept is None or kept.modified != state.modified or time.monotonic() - kept.made_at > KEPT_SECONDS:
			kept = _Kept(state.modified, time.monotonic(), _make_run(campaign))
		self._in_use[campaign] = kept
		return kept.run

	def keep(self, campaign: str) -> None:
		"""Keep the run for the next batch, after the commit of this one."""
		self._kept[campaign] = self._in_use.pop(campaign)


def _make_run(campaign: str) -> CampaignRun:
	return CampaignRun(frappe.get_doc("Drip Campaign", campaign), postal_address(), max_attempts())
