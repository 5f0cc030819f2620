"""What a person can agree to, and take back."""

from __future__ import annotations

from drip_campaigns.core.model import Label


class ConsentPurpose(Label):
	"""What was agreed to."""

	CAMPAIGN = "Campaign"
	TRACKING = "Individual Tracking"
