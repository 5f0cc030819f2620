"""Sign and read the tokens in links. A token contains no address, name or time; secrets are arguments.

Its salt binds a token to a purpose: a token that opens a page never unsubscribes. A token has no expiry: it is valid while
the key that signed it is kept, at least 60 days.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from itertools import pairwise

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.signer import SigningAlgorithm

from drip_campaigns.core.errors import DripError

MAX_TOKEN_LENGTH = 200
_PLAIN_ID = re.compile(r"[a-z0-9-]+")
LEAST_DAYS_KEPT = 60  # CAN-SPAM requires that a link to unsubscribe works for 30 days


class Purpose(str, Enum):
	"""The purpose of a link. The value is part of the signature: never change one."""

	LEAVE = "leave"
	PREFERENCES = "preferences"
	CONFIRM = "confirm"
	CLICK = "click"
	OPEN = "open"
	VIEW = "view"
	ADDRESS = "address"
	MAILBOX = "mailbox"


class InvalidTokenError(DripError):
	"""This link is not one of ours, or it is damaged."""


def sign(purpose: Purpose, subject: str, keys: Sequence[str]) -> str:
	"""Return a URL-safe token for `subject`, an id without address or name, signed with the newest key."""
	return _signer(purpose, tuple(keys)).sign(subject).decode()


def read(purpose: Purpose, token: str, keys: Sequence[str], longest: int = MAX_TOKEN_LENGTH) -> str:
	"""Return the subject of a token; raise InvalidTokenError for a forged, damaged, foreign or oversized one.

	It tries every key, the newest (last) first, so that old links work after a rotation.
	"""
	if not token or len(token) > longest or not token.isascii():
		raise InvalidTokenError
	try:
		subject = _signer(purpose, tuple(keys)).unsign(token).decode()
	except (BadData, UnicodeDecodeError) as error:
		raise InvalidTokenError from error
	# The last letter of a signature carries four bits, which four letters can encode: only one of them is ours.
	signature = token.rpartition(".")[2].encode()
	if base64_encode(base64_decode(signature)) != signature:
		raise InvalidTokenError
	return subject


def sign_tag(subject: str, keys: Sequence[str]) -> str:
	"""Return a tag for the local part of an address, signed with the newest key; empty if the subject is not a plain id.

	Mail servers can change the case of a local part, and it has at most 64 characters: so the signature is lower case
	and short (80 bits). It protects a single email's bounce.
	"""
	return f"{subject}.{_tag_signature(subject, keys[-1])}" if _PLAIN_ID.fullmatch(subject) else ""


def read_tag(tag: str, keys: Sequence[str]) -> str:
	"""Return the subject of a tag; raise InvalidTokenError if we did not sign it."""
	subject, _dot, signature = tag.lower().rpartition(".")
	if len(tag) > MAX_TOKEN_LENGTH or not _PLAIN_ID.fullmatch(subject) or not signature.isascii():
		raise InvalidTokenError
	if not any(hmac.compare_digest(signature, _tag_signature(subject, key)) for key in reversed(keys)):
		raise InvalidTokenError
	return subject


def _tag_signature(subject: str, key: str) -> str:
	salted = f"drip-campaigns.{Purpose.MAILBOX.value}\0{subject}".encode()
	digest = hmac.new(key.encode(), salted, hashlib.sha256).digest()
	return base64.b32encode(digest[:10]).decode().lower()


def rotate(kept: Sequence[str | Mapping[str, str]], new_key: str, today: date, days: int) -> list[str | dict]:
	"""Return the keys to keep, the newest last: the keys in `kept` that signed in the last `days` days, and `new_key`.

	An entry is a key, kept until a person removes it, or a mapping of `key` and `made_on`, its first day of signing.
	"""
	oldest = today - timedelta(days=max(days, LEAST_DAYS_KEPT))
	newest = {"key": new_key, "made_on": today.isoformat()}
	signing = [
		entry
		for entry, successor in pairwise([*kept, newest])
		if isinstance(entry, str) or _made_on(successor, today) >= oldest
	]
	return [*signing, newest]


def _made_on(entry: str | Mapping[str, str], today: date) -> date:
	return today if isinstance(entry, str) else date.fromisoformat(entry["made_on"])


class _Hmac(SigningAlgorithm):
	"""HMAC with SHA-1, the library's default, in one call, because an email has several links.

	SHA-1's weakness, collisions, does not affect HMAC, and 27 characters keep links short.
	"""

	def get_signature(self, key: bytes, value: bytes) -> bytes:
		return hmac.digest(key, value, "sha1")


class _Signer(Signer):
	"""A signer that derives each key once and reuses the hash state after the key."""

	def __init__(self, keys: tuple[str, ...], purpose: Purpose) -> None:
		super().__init__(list(keys), salt=f"drip-campaigns.{purpose.value}", sep=".", algorithm=_Hmac())
		self._derived: dict[bytes | str | None, bytes] = {}
		self._begun = hmac.new(self.derive_key(), digestmod="sha1")

	def get_signature(self, value: bytes) -> bytes:
		signature = self._begun.copy()
		signature.update(value)
		return base64_encode(signature.digest())

	def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
		if secret_key not in self._derived:
			self._derived[secret_key] = super().derive_key(secret_key)
		return self._derived[secret_key]


@lru_cache(maxsize=16)
def _signer(purpose: Purpose, keys: tuple[str, ...]) -> Signer:
	return _Signer(keys, purpose)
