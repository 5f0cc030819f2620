"""The campaigns of one dispatch, made ready once for several batches as long as nothing has changed."""

import time
from datetime import datetime
from typing import NamedTuple

import frappe

from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.dispatch.campaign_run import CampaignRun
from drip_campaigns.site.settings import max_attempts, postal_address

KEPT_SECONDS = 10  # an Email Template or an Email Account may change as well, and is not asked about


class _Kept(NamedTuple):
	modified: datetime
	made_at: float
	run: CampaignRun


class RunCache:
	"""The runs of one dispatch by their campaigns: one is kept from batch to batch if the batch was committed."""

	def __init__(self) -> None:
		self._kept: dict[str, _Kept] = {}
		self._in_use: dict[str, _Kept] = {}

	def start(self, campaign: str) -> CampaignRun | None:
		"""Return the run of an active campaign, made anew after each change of it; None if it may not send any more."""
		kept = self._kept.pop(campaign, None)
		state = frappe.db.get_value("Drip Campaign", campaign, ["status", "modified"], as_dict=True)
		if state is None or state.status != CampaignStatus.ACTIVE.value:
			return None
		if kept is None or kept.modified != state.modified or time.monotonic() - kept.made_at > KEPT_SECONDS:
			kept = _Kept(state.modified, time.monotonic(), _make_run(campaign))
		self._in_use[campaign] = kept
		return kept.run

	def keep(self, campaign: str) -> None:
		"""Keep the run for the next batch: what was read and written with it is committed."""
		self._kept[campaign] = self._in_use.pop(campaign)


def _make_run(campaign: str) -> CampaignRun:
	return CampaignRun(frappe.get_doc("Drip Campaign", campaign), postal_address(), max_attempts())
