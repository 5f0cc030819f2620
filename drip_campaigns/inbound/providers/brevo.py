"""Brevo: signs nothing but sends headers that the administrator chooses with each webhook."""

from collections.abc import Iterator
from datetime import datetime

from drip_campaigns.core.inbound.provider_events import (
	ProviderEvent,
	as_text,
	make_bounce,
	make_complaint,
	make_unsubscribe,
)
from drip_campaigns.inbound.providers.request import ProviderRequest, check_shared_secret

HARD = ("hard_bounce", "hardBounce", "invalid_email", "invalid")
SOFT = ("soft_bounce", "softBounce", "blocked")  # a deferral is not a bounce


def verify(request: ProviderRequest, _now: datetime) -> str:
	"""Raise UnprovenError unless the request carries our secret. There is no proof that is valid only once."""
	check_shared_secret(request, "brevo_secret")
	return ""


def read(payload: object) -> Iterator[ProviderEvent]:
	"""Yield the events of a webhook: one, or a batch."""
	for event in payload if isinstance(payload, list) else [payload]:
		if not isinstance(event, dict):
			continue
		kind, address = event.get("event"), as_text(event.get("email"))
		message_id = as_text(event.get("message-id"))
		if kind in ("spam", "complaint"):
			yield make_complaint(address, message_id, "Brevo")
		elif kind in ("unsubscribed", "unsubscribe"):
			yield make_unsubscribe(address, message_id, "Unsubscribed at Brevo")
		elif kind in (*HARD, *SOFT):
			yield make_bounce(address, message_id, as_text(event.get("reason")), is_hard=kind in HARD)
