"""Sign and read the tokens that stand in links. No address, name or clock goes in; secrets are arguments.

A token is bound to a purpose by its salt: one made for opening a page never unsubscribes anybody.
"""

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from itsdangerous import BadData, Signer

from drip_campaigns.core.errors import DripError

MAX_TOKEN_LENGTH = 200


class Purpose(str, Enum):
	"""What a link is for. The value is part of the signature: never change one."""

	LEAVE = "leave"


class InvalidTokenError(DripError):
	"""This link is not one of ours, or it is damaged."""


def sign(purpose: Purpose, subject: str, keys: Sequence[str]) -> str:
	"""Return a URL-safe token for `subject` (an id without address or name), signed with the newest key."""
	return _signer(purpose, tuple(keys)).sign(subject).decode()


def read(purpose: Purpose, token: str, keys: Sequence[str]) -> str:
	"""Return the subject of a token; raise InvalidTokenError for a forged, damaged, foreign or oversized one.

	Every key of the list is tried, the newest (last) first, so keys can be rotated while old links live on.
	"""
	if not token or len(token) > MAX_TOKEN_LENGTH or not token.isascii():
		raise InvalidTokenError
	try:
		return _signer(purpose, tuple(keys)).unsign(token).decode()
	except (BadData, UnicodeDecodeError) as error:
		raise InvalidTokenError from error


@lru_cache(maxsize=16)
def _signer(purpose: Purpose, keys: tuple[str, ...]) -> Signer:
	# SHA-1 is the library's default; its weakness (collisions) does not matter to HMAC, and 27 characters keep links short.
	return Signer(list(keys), salt=f"drip-campaigns.{purpose.value}", sep=".")
