"""The consents that a person can give and withdraw."""

from __future__ import annotations

from drip_campaigns.core.model import Label


class ConsentPurpose(Label):
	"""What the person agreed to."""

	CAMPAIGN = "Campaign"
	TRACKING = "Individual Tracking"
