"""Postmark: signs nothing, but sends a header of one's own choice with each webhook."""

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
	"""Raise UnprovenError for a stranger's request. What is reported twice has no effect the second time."""
	check_shared_secret(request, "postmark_secret")
	return ""


def read(payload: object) -> Iterator[ProviderEvent]:
	"""Yield what a webhook for bounces, spam complaints or subscription changes reports."""
	if not isinstance(payload, dict):
		return
	kind, address = payload.get("RecordType"), text_of(payload.get("Email"))
	if kind == "SpamComplaint":
		yield complained(address, "", "Postmark")
	elif kind == "SubscriptionChange":
		# Postmark notes bounces and complaints in this way, too, which are reported by themselves.
		if payload.get("SuppressSending") is True and payload.get("SuppressionReason") == "ManualSuppression":
			yield unsubscribed(text_of(payload.get("Recipient")), "", "Unsubscribed at Postmark")
	elif kind == "Bounce" and payload.get("Type") in (*HARD, *SOFT):
		text = f"{text_of(payload.get('Description'))} {text_of(payload.get('Details'))}"
		yield bounced(address, "", text, is_hard=payload["Type"] in HARD)
