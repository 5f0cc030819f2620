"""The events that a mail provider reports: a bounce, a complaint, or an unsubscribe at the provider."""

from __future__ import annotations

from dataclasses import dataclass

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.inbound.bounces import Bounce, BounceKind, classify_response


class UnprovenError(DripError):
	"""The provider did not sign this request."""


@dataclass(frozen=True)
class ProviderEvent:
	"""An event of one address: a bounce, an unsubscribe at the provider (`is_unsubscribe`), or else a complaint.

	`message_id` is empty where the provider does not give it.
	"""

	address: str
	message_id: str = ""
	bounce: Bounce | None = None
	detail: str = ""
	is_unsubscribe: bool = False


def make_bounce(
	address: str, message_id: str, text: str, *, is_hard: bool, status: str = ""
) -> ProviderEvent:
	"""Return a bounce: hard if the provider says so, else soft or for policy, as the server's response says."""
	finding = classify_response(status, text)
	kind = BounceKind.HARD if is_hard else finding.kind
	if kind is BounceKind.HARD and not is_hard:
		kind = BounceKind.SOFT  # the provider classifies its own bounces better
	return ProviderEvent(
		address, strip_brackets(message_id), Bounce(address, kind, finding.code, " ".join(text.split())[:300])
	)


def make_complaint(address: str, message_id: str, detail: str) -> ProviderEvent:
	"""Return a complaint."""
	return ProviderEvent(address, strip_brackets(message_id), None, detail)


def make_unsubscribe(address: str, message_id: str, detail: str) -> ProviderEvent:
	"""Return an unsubscribe by a link of the provider's own, after which it delivers nothing to the address."""
	return ProviderEvent(address, strip_brackets(message_id), None, detail, is_unsubscribe=True)


def strip_brackets(message_id: object) -> str:
	"""Return a Message-ID without its brackets."""
	return str(message_id or "").strip().strip("<>")


def as_text(value: object) -> str:
	"""Return a text of a provider's JSON, or an empty text for any other value."""
	return value if isinstance(value, str) else ""


def as_object(value: object, *path: str) -> dict:
	"""Return an object of a provider's JSON, inside `value` along `path`, or an empty one for any other value."""
	for name in path:
		value = value.get(name) if isinstance(value, dict) else None
	return value if isinstance(value, dict) else {}
