"""The errors of actions: each names what is wrong and what to do; it stands on the action and on the enrollment."""

from drip_campaigns.core.errors import DripError


class ActionError(DripError):
	"""The action cannot be done for this recipient."""


class BrokenActionError(DripError):
	"""The action cannot be done for anybody: the campaign is held until somebody corrects it."""


class WebhookDoubtError(DripError):
	"""The Webhook was called, and nobody knows whether it arrived."""
