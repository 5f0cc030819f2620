"""The events that a mail provider reports: a bounce, a complaint, or an unsubscribe at the provider."""

from __future__ import annotations

from dataclasses import dataclass, replace

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.inbound.bounces import Bounce
from drip_campaigns.core.inbound.bounces import make_bounce as read_bounce
from drip_campaigns.core.inbound.response_words import Category, Severity

# With these words of the server, an address is not dead, even if the provider calls the bounce permanent.
FOR_NOW = (Category.MAILBOX_FULL, Category.SIZE, Category.RATE, Category.GREYLISTED)


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
	"""Return a bounce: hard if the provider says so and the server's words do not contradict, else as the words say."""
	bounce = read_bounce(address, status, text)
	if is_hard and bounce.severity is not Severity.SENDER and bounce.category not in FOR_NOW:
		bounce = replace(bounce, severity=Severity.HARD)
	elif not is_hard and bounce.severity is Severity.HARD:
		bounce = replace(bounce, severity=Severity.SOFT)  # the provider classifies its own bounces better
	return ProviderEvent(address, strip_brackets(message_id), bounce)


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
