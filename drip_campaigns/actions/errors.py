"""The errors of actions. Each says what is wrong and what to do; the action and the enrollment show it."""

from drip_campaigns.core.errors import DripError


class ActionError(DripError):
	"""The action cannot be done for this recipient."""


class BrokenActionError(DripError):
	"""The action cannot be done for any recipient: the campaign pauses until it is corrected."""


class WebhookDoubtError(DripError):
	"""The Webhook was called, and it is unknown whether the call arrived."""
