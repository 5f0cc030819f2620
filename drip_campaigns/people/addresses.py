"""Email addresses as keys: when two spellings are one address, and when a string is none."""

import hashlib
import re
from functools import lru_cache

import frappe
import idna
from frappe.utils import validate_email_address
from frappe.utils.password import get_encryption_key

LONGEST_ADDRESS = 140  # as long as a record holds
_ATOM, _LABEL = r"[a-z0-9_+-]+", r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ORDINARY = re.compile(
	rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*\.[a-z]{{2,}}", re.IGNORECASE | re.ASCII
)


def is_valid(address: str | None) -> bool:
	"""Say whether `address` is exactly one well-formed email address."""
	if not address or "," in address or len(address) > LONGEST_ADDRESS:
		return False
	# Nearly all addresses are ordinary; Frappe's check takes them apart letter by letter.
	if _ORDINARY.fullmatch(address):
		return True
	# To Frappe's check ı and ſ are letters from a to z; SMTP takes none of them before the @.
	return address.rpartition("@")[0].isascii() and validate_email_address(address) == address


@lru_cache(maxsize=8192)
def normalize(address: str) -> str:
	"""Return the form in which addresses are compared: lower case, the domain in its ASCII form (IDNA).

	Plus-addressing is left alone: jane+erp@example.com is an address of its own.
	"""
	local, _, domain = address.strip().lower().rpartition("@")
	try:
		return f"{local}@{_ascii_domain(domain)}"
	except UnicodeError:
		return f"{local}@{domain}"  # a domain that IDNA refuses is compared as it is written


def spellings(address: str) -> list[str]:
	"""Return how `address` may stand in a record: as given, normalized, the domain in letters. Case is the database's."""
	normalized = normalize(address)
	local, _, domain = normalized.rpartition("@")
	return sorted({address.strip(), normalized, f"{local}@{_unicode_domain(domain)}"})


@lru_cache(maxsize=8192)
def live_key(campaign: str, *identity: str) -> str:
	"""Return the value of a unique column: the same for the same campaign and identity, 32 characters."""
	text = "\0".join((campaign, *identity))
	return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def hash_address(address: str) -> str:
	"""Return what stands for an address that itself is not kept: 32 characters, the same for every spelling of it.

	Keyed with a secret of site_config.json, so that whoever has the database alone cannot find out addresses by
	trying: `drip_address_key`, else one derived from the site's encryption key. Never change it: who asked to be
	forgotten would be unknown again.
	"""
	conf = frappe.local.conf
	return _digest(
		address, conf.get("drip_address_key") or conf.get("encryption_key") or get_encryption_key()
	)


@lru_cache(maxsize=8192)
def _digest(address: str, secret: str) -> str:
	# A batch asks several times for the same: what its people have said, whether they are suppressed, on which lists.
	text, key = normalize(address).encode(), _digest_key(secret)
	return hashlib.blake2b(text, digest_size=16, key=key, person=b"drip-address").hexdigest()


@lru_cache(maxsize=16)
def _digest_key(secret: str) -> bytes:
	return hashlib.sha256(b"drip_campaigns.addresses\0" + secret.encode()).digest()


def to_ascii(address: str) -> str:
	"""Return `address` as SMTP carries it: the domain in its ASCII form, the local part as written."""
	local, at, domain = address.strip().rpartition("@")
	return local + at + _ascii_domain(domain) if at else address


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
	# Recipients are many and their domains few; IDNA is slow.
	if domain.isascii():
		return domain.encode("idna").decode("ascii")
	# Python's own follows the rules of 2003, which lead from straße.example to the domain of somebody else.
	return idna.encode(domain, uts46=True).decode("ascii")


@lru_cache(maxsize=4096)
def _unicode_domain(domain: str) -> str:
	try:
		return idna.decode(domain)
	except UnicodeError:
		return domain
