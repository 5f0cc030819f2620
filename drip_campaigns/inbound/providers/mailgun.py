"""Mailgun: an HMAC over time and a token that is used once."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime, timezone

from drip_campaigns.core.inbound.bounces import BounceKind, classify_response
from drip_campaigns.core.inbound.provider_events import (
	ProviderEvent,
	UnprovenError,
	bounced,
	complained,
	part_of,
	text_of,
	unsubscribed,
)
from drip_campaigns.inbound.providers.request import ProviderRequest, check_fresh, read_secret


def verify(request: ProviderRequest, now: datetime) -> str:
	"""Raise UnprovenError for a stranger's request; return the token, which is good once."""
	signed = part_of(request.json(), "signature")
	stamp, token = str(signed.get("timestamp") or ""), text_of(signed.get("token"))
	key = read_secret("mailgun_signing_key").encode()
	right = hmac.new(key, f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
	if not token or not hmac.compare_digest(
		right.encode(), text_of(signed.get("signature")).encode("utf-8", "replace")
	):
		raise UnprovenError
	check_fresh(datetime.fromtimestamp(float(stamp), timezone.utc), now)
	return token


def read(payload: object) -> Iterator[ProviderEvent]:
	"""Yield what a webhook reports; a temporary failure is still being tried, and is none."""
	event = part_of(payload, "event-data")
	address, kind = text_of(event.get("recipient")), event.get("event")
	message_id = text_of(part_of(event, "message", "headers").get("message-id"))
	has_failed = kind == "failed" and event.get("severity") == "permanent"
	if kind == "complained" or (has_failed and event.get("reason") == "suppress-complaint"):
		yield complained(address, message_id, "Mailgun")
	elif kind == "unsubscribed" or (has_failed and event.get("reason") == "suppress-unsubscribe"):
		yield unsubscribed(address, message_id, "Unsubscribed at Mailgun")
	elif has_failed:
		status = part_of(event, "delivery-status")
		text = f"{status.get('code') or ''} {text_of(status.get('message')) or text_of(status.get('description'))}"
		is_hard = event.get("reason") in ("bounce", "suppress-bounce") and not _is_soft(text)
		yield bounced(address, message_id, text, is_hard=is_hard)


def _is_soft(text: str) -> bool:
	return classify_response("", text).kind is not BounceKind.HARD
