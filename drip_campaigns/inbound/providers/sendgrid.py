"""SendGrid: an ECDSA signature over time and body (Signed Event Webhook)."""

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from drip_campaigns.core.inbound.provider_events import (
	ProviderEvent,
	UnprovenError,
	as_text,
	make_bounce,
	make_complaint,
	make_unsubscribe,
)
from drip_campaigns.inbound.providers.request import ProviderRequest, check_fresh, setting

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
# SendGrid does not try an address that it knows. Without these, the email would stay Sent.
BOUNCED_BEFORE = (("dropped", "Bounced Address"), ("dropped", "Invalid"))
COMPLAINED_BEFORE = ("dropped", "Spam Reporting Address")
UNSUBSCRIBED_BEFORE = ("dropped", "Unsubscribed Address")
UNSUBSCRIBED = ("unsubscribe", "group_unsubscribe")


def verify(request: ProviderRequest, now: datetime) -> str:
	"""Raise UnprovenError unless SendGrid signed the request; return the signature, which is valid once."""
	stamp, signature = request.headers.get(TIMESTAMP) or "", request.headers.get(SIGNATURE) or ""
	try:
		key = load_der_public_key(base64.b64decode(setting("sendgrid_public_key"), validate=True))
		signed = stamp.encode() + request.body
		key.verify(base64.b64decode(signature, validate=True), signed, ec.ECDSA(hashes.SHA256()))
		check_fresh(datetime.fromtimestamp(float(stamp), timezone.utc), now)
	except (InvalidSignature, binascii.Error, ValueError, OverflowError, TypeError, AttributeError) as error:
		raise UnprovenError from error
	return signature


def read(payload: object) -> Iterator[ProviderEvent]:
	"""Yield the events of a batch. A `blocked` bounce is not hard; the reason of a drop says what it is."""
	for event in payload if isinstance(payload, list) else []:
		if not isinstance(event, dict):
			continue
		address, message_id = as_text(event.get("email")), as_text(event.get("smtp-id"))
		kind, reason, status = (as_text(event.get(name)) for name in ("event", "reason", "status"))
		if kind == "spamreport" or (kind, reason) == COMPLAINED_BEFORE:
			yield make_complaint(address, message_id, "SendGrid")
		elif kind in UNSUBSCRIBED or (kind, reason) == UNSUBSCRIBED_BEFORE:
			yield make_unsubscribe(address, message_id, "Unsubscribed at SendGrid")
		elif kind == "bounce" or (kind, reason) in BOUNCED_BEFORE:
			is_hard = event.get("type") != "blocked" and not status.startswith(("5.2.2", "4."))
			yield make_bounce(address, message_id, reason, is_hard=is_hard, status=status)
