"""Amazon SES, by way of SNS: each message is signed with a key whose certificate Amazon publishes."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

import frappe
import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from drip_campaigns.core.inbound.provider_events import (
	ProviderEvent,
	UnprovenError,
	as_object,
	as_text,
	make_bounce,
	make_complaint,
)
from drip_campaigns.inbound.providers.request import ProviderRequest, check_fresh, setting

_AMAZON = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}  # Amazon chooses which
CERTIFICATE_KEPT_SECONDS = 24 * 3600
TIMEOUT_SECONDS = 10
LARGEST_CERTIFICATE = 20_000


def verify(request: ProviderRequest, now: datetime) -> str:
	"""Raise UnprovenError unless Amazon signed the message and Drip Settings lists its topic; return the message's id.

	This also confirms a subscription: it opens the address that Amazon sends, if it is one of Amazon's own.
	"""
	message = as_object(request.json())
	topics = setting("ses_topics").split()
	if message.get("TopicArn") not in topics:
		raise UnprovenError
	try:
		_check_signature(message)
		check_fresh(datetime.fromisoformat(as_text(message.get("Timestamp")).replace("Z", "+00:00")), now)
	except (InvalidSignature, binascii.Error, ValueError, TypeError, requests.RequestException) as error:
		raise UnprovenError from error
	if message.get("Type") == "SubscriptionConfirmation":
		_fetch(_amazon_address(message.get("SubscribeURL")))
	return as_text(message.get("MessageId"))


def read(payload: object) -> Iterator[ProviderEvent]:
	"""Yield the events of a notification about bounces or complaints."""
	if as_object(payload).get("Type") != "Notification":
		return
	try:
		event = as_object(json.loads(as_text(payload.get("Message"))))
	except ValueError:
		return
	message_id = _message_id(as_object(event, "mail"))
	kind = event.get("notificationType") or event.get("eventType")
	if kind == "Complaint":
		complaint = as_object(event, "complaint")
		for person in _recipients(complaint, "complainedRecipients"):
			detail = as_text(complaint.get("complaintFeedbackType"))
			yield make_complaint(
				as_text(person.get("emailAddress")), message_id, f"Amazon SES {detail}".strip()
			)
	elif kind == "Bounce":
		bounce = as_object(event, "bounce")
		is_hard = bounce.get("bounceType") == "Permanent"
		for person in _recipients(bounce, "bouncedRecipients"):
			text, status = as_text(person.get("diagnosticCode")), as_text(person.get("status"))
			yield make_bounce(
				as_text(person.get("emailAddress")), message_id, text, is_hard=is_hard, status=status
			)


def _recipients(event: dict, field: str) -> Iterator[dict]:
	people = event.get(field)
	yield from (as_object(person) for person in (people if isinstance(people, list) else []))


def _message_id(mail: dict) -> str:
	"""Return our own Message-ID. Amazon replaces it in the email and keeps ours here if the topic includes headers."""
	headers = mail.get("headers")
	for header in headers if isinstance(headers, list) else []:
		if as_text(as_object(header).get("name")).lower() == "message-id":
			return as_text(header.get("value"))
	return as_text(as_object(mail, "commonHeaders").get("messageId"))


def _check_signature(message: dict) -> None:
	names = _NOTIFICATION if message.get("Type") == "Notification" else _CONFIRMATION
	signed = "".join(f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None)
	algorithm = _HASHES.get(str(message.get("SignatureVersion")))
	if algorithm is None:
		raise UnprovenError
	key = x509.load_pem_x509_certificate(_certificate(message.get("SigningCertURL"))).public_key()
	signature = base64.b64decode(as_text(message.get("Signature")), validate=True)
	key.verify(signature, signed.encode(), padding.PKCS1v15(), algorithm())


def _certificate(url: object) -> bytes:
	address = _amazon_address(url)
	if not urlsplit(address).path.endswith(".pem"):
		raise UnprovenError
	key = f"drip_campaigns:sns:{address}"
	known = frappe.cache.get_value(key, expires=True)
	if not known:
		known = _fetch(address)
		frappe.cache.set_value(key, known, expires_in_sec=CERTIFICATE_KEPT_SECONDS)
	return known.encode()


def _amazon_address(url: object) -> str:
	"""Return an address of Amazon's notification service, or raise UnprovenError: a stranger must not choose what we open."""
	parts = urlsplit(as_text(url))
	if parts.scheme != "https" or not _AMAZON.fullmatch(parts.netloc):
		raise UnprovenError
	return as_text(url)


def _fetch(address: str) -> str:
	with requests.get(address, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True) as response:
		response.raise_for_status()
		return response.raw.read(LARGEST_CERTIFICATE, decode_content=True).decode("utf-8", "replace")
