"""Include a target list in a campaign, which then enrolls everyone who joins it. Nothing here commits."""

from datetime import datetime
from typing import Any

from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.lists import WhenLeft
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.triggers.backfill import count_existing


def include(target_list: str, campaign, when_left: str, now: datetime) -> dict[str, Any]:
	"""Include a list in a Drip Campaign document, once; return who of its members can be enrolled, as `count_existing` does."""
	if campaign.status == CampaignStatus.ENDED.value:
		raise DripError(_("Campaign {0} has ended. Choose another one.").format(campaign.name))
	if when_left not in [choice.value for choice in WhenLeft]:
		raise DripError(_("“{0}” isn't an option. Enter End or Continue.").format(when_left))
	row = next((row for row in campaign.target_lists if row.target_list == target_list), None)
	if row is None:
		row = campaign.append("target_lists", {"target_list": target_list, "when_left": when_left})
		campaign.save()
	return {
		"status": campaign.status,
		"existing": [found for found in count_existing(campaign, now) if found["trigger"] == row.name],
	}
