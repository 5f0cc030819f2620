"""SendGrid: an ECDSA signature over time and body (Signed Event Webhook)."""

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from drip_campaigns.core.news import News, UnprovenError, bounced, complained, text_of
from drip_campaigns.feedback.providers.request import ProviderRequest, check_fresh, setting

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


def verify(request: ProviderRequest, now: datetime) -> str:
	"""Raise UnprovenError for a stranger's request; return the signature, which is good once."""
	stamp, signature = request.headers.get(TIMESTAMP) or "", request.headers.get(SIGNATURE) or ""
	try:
		key = load_der_public_key(base64.b64decode(setting("sendgrid_public_key"), validate=True))
		signed = stamp.encode() + request.body
		key.verify(base64.b64decode(signature, validate=True), signed, ec.ECDSA(hashes.SHA256()))
		check_fresh(datetime.fromtimestamp(float(stamp), timezone.utc), now)
	except (InvalidSignature, binascii.Error, ValueError, OverflowError, TypeError, AttributeError) as error:
		raise UnprovenError from error
	return signature


def read(payload: object) -> Iterator[News]:
	"""Yield what a batch of events reports; `blocked` bounces and drops say nothing against the address."""
	for event in payload if isinstance(payload, list) else []:
		if not isinstance(event, dict):
			continue
		address, message_id = text_of(event.get("email")), text_of(event.get("smtp-id"))
		if event.get("event") == "spamreport":
			yield complained(address, message_id, "SendGrid")
		elif event.get("event") == "bounce":
			status = text_of(event.get("status"))
			is_hard = event.get("type") != "blocked" and not status.startswith(("5.2.2", "4."))
			yield bounced(address, message_id, text_of(event.get("reason")), is_hard=is_hard, status=status)
