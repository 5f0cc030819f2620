"""Brevo: signs nothing, but sends headers of one's own choice with each webhook."""

from collections.abc import Iterator
from datetime import datetime

from drip_campaigns.core.inbound.provider_events import (
	ProviderEvent,
	bounced,
	complained,
	text_of,
	unsubscribed,
)
from drip_campaigns.inbound.providers.request import ProviderRequest, check_shared_secret

HARD = ("hard_bounce", "hardBounce", "invalid_email", "invalid")
SOFT = ("soft_bounce", "softBounce", "blocked")  # a deferral is none


def verify(request: ProviderRequest, _now: datetime) -> str:
	"""Raise UnprovenError for a stranger's request. What is reported twice has no effect the second time."""
	check_shared_secret(request, "brevo_secret")
	return ""


def read(payload: object) -> Iterator[ProviderEvent]:
	"""Yield what a webhook reports: one event, or a batch of them."""
	for event in payload if isinstance(payload, list) else [payload]:
		if not isinstance(event, dict):
			continue
		kind, address = event.get("event"), text_of(event.get("email"))
		message_id = text_of(event.get("message-id"))
		if kind in ("spam", "complaint"):
			yield complained(address, message_id, "Brevo")
		elif kind in ("unsubscribed", "unsubscribe"):
			yield unsubscribed(address, message_id, "Unsubscribed at Brevo")
		elif kind in (*HARD, *SOFT):
			yield bounced(address, message_id, text_of(event.get("reason")), is_hard=kind in HARD)
