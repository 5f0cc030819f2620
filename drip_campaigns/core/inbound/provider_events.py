"""What a mail provider reports: one line for each e-mail that came back, was complained about, or led somebody to leave."""

from __future__ import annotations

from dataclasses import dataclass

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.inbound.bounces import Bounce, BounceKind, classify_response


class UnprovenError(DripError):
	"""This request is not signed by whom it says it is from."""


@dataclass(frozen=True)
class ProviderEvent:
	"""A bounce, or with `bounce` None a complaint, of the address in an e-mail with this Message-ID, if it is known.

	With `has_left` neither: the recipient has left by a link of the provider's own, which delivers nothing more.
	"""

	address: str
	message_id: str = ""
	bounce: Bounce | None = None
	detail: str = ""
	has_left: bool = False


def bounced(address: str, message_id: str, text: str, *, is_hard: bool, status: str = "") -> ProviderEvent:
	"""Return a bounce as a provider classes it: hard means the address is not there; what else it is, the words say."""
	verdict = classify_response(status, text)
	kind = BounceKind.HARD if is_hard else verdict.kind
	if kind is BounceKind.HARD and not is_hard:
		kind = BounceKind.SOFT  # the provider knows its own bounces
	return ProviderEvent(
		address, bare_id(message_id), Bounce(address, kind, verdict.code, " ".join(text.split())[:300])
	)


def complained(address: str, message_id: str, detail: str) -> ProviderEvent:
	"""Return a complaint."""
	return ProviderEvent(address, bare_id(message_id), None, detail)


def unsubscribed(address: str, message_id: str, detail: str) -> ProviderEvent:
	"""Return that somebody has unsubscribed at the provider."""
	return ProviderEvent(address, bare_id(message_id), None, detail, has_left=True)


def bare_id(message_id: object) -> str:
	"""Return a Message-ID without its brackets."""
	return str(message_id or "").strip().strip("<>")


def text_of(value: object) -> str:
	"""Return a value of a provider's JSON as text; anything that is none is nothing."""
	return value if isinstance(value, str) else ""


def part_of(value: object, *path: str) -> dict:
	"""Return an inner object of a provider's JSON; an empty one where it is missing or something else."""
	for name in path:
		value = value.get(name) if isinstance(value, dict) else None
	return value if isinstance(value, dict) else {}
