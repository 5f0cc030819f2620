"""Mailgun: an HMAC over the time and a token that is used once."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime, timezone

from drip_campaigns.core.inbound.provider_events import (
	ProviderEvent,
	UnprovenError,
	as_object,
	as_text,
	make_bounce,
	make_complaint,
	make_unsubscribe,
)
from drip_campaigns.core.inbound.response_words import Severity
from drip_campaigns.core.inbound.server_responses import classify_response
from drip_campaigns.inbound.providers.request import ProviderRequest, check_fresh, read_secret


def verify(request: ProviderRequest, now: datetime) -> str:
	"""Raise UnprovenError unless Mailgun signed the request; return the token, which is valid once."""
	signed = as_object(request.json(), "signature")
	stamp, token = str(signed.get("timestamp") or ""), as_text(signed.get("token"))
	key = read_secret("mailgun_signing_key").encode()
	expected = hmac.new(key, f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
	if not token or not hmac.compare_digest(
		expected.encode(), as_text(signed.get("signature")).encode("utf-8", "replace")
	):
		raise UnprovenError
	check_fresh(datetime.fromtimestamp(float(stamp), timezone.utc), now)
	return token


def read(payload: object) -> Iterator[ProviderEvent]:
	"""Yield the event of a webhook. A temporary failure is not an event: Mailgun tries again."""
	event = as_object(payload, "event-data")
	address, kind = as_text(event.get("recipient")), event.get("event")
	message_id = as_text(as_object(event, "message", "headers").get("message-id"))
	has_failed = kind == "failed" and event.get("severity") == "permanent"
	if kind == "complained" or (has_failed and event.get("reason") == "suppress-complaint"):
		yield make_complaint(address, message_id, "Mailgun")
	elif kind == "unsubscribed" or (has_failed and event.get("reason") == "suppress-unsubscribe"):
		yield make_unsubscribe(address, message_id, "Unsubscribed at Mailgun")
	elif has_failed:
		status = as_object(event, "delivery-status")
		text = f"{status.get('code') or ''} {as_text(status.get('message')) or as_text(status.get('description'))}"
		is_hard = event.get("reason") in ("bounce", "suppress-bounce") and not _is_soft(text)
		yield make_bounce(address, message_id, text, is_hard=is_hard)


def _is_soft(text: str) -> bool:
	return classify_response("", text).severity is not Severity.HARD
