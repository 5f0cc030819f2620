"""Postmark: signs nothing but sends a header that the administrator chooses with each webhook."""

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

HARD = ("HardBounce", "BadEmailAddress", "ManuallyDeactivated")
SOFT = (
	"SoftBounce",
	"Transient",
	"DnsError",
	"SMTPApiError",
	"SpamNotification",
	"Blocked",
	"VirusNotification",
)


def verify(request: ProviderRequest, _now: datetime) -> str:
	"""Raise UnprovenError unless the request carries our secret. There is no proof that is valid only once."""
	check_shared_secret(request, "postmark_secret")
	return ""


def read(payload: object) -> Iterator[ProviderEvent]:
	"""Yield the events of a webhook for bounces, spam complaints or subscription changes."""
	if not isinstance(payload, dict):
		return
	kind, address = payload.get("RecordType"), as_text(payload.get("Email"))
	if kind == "SpamComplaint":
		yield make_complaint(address, "", "Postmark")
	elif kind == "SubscriptionChange":
		# Postmark also reports bounces and complaints in this way, in addition to their own webhooks.
		if payload.get("SuppressSending") is True and payload.get("SuppressionReason") == "ManualSuppression":
			yield make_unsubscribe(as_text(payload.get("Recipient")), "", "Unsubscribed at Postmark")
	elif kind == "Bounce" and payload.get("Type") in (*HARD, *SOFT):
		text = f"{as_text(payload.get('Description'))} {as_text(payload.get('Details'))}"
		yield make_bounce(address, "", text, is_hard=payload["Type"] in HARD)
