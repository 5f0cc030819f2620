"""Email addresses as keys: compare, validate and hash them."""

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
	"""Return whether `address` is exactly one well-formed email address."""
	if not address or "," in address or len(address) > LONGEST_ADDRESS:
		return False
	# Nearly all addresses match this pattern; Frappe's check is slow.
	if _ORDINARY.fullmatch(address):
		return True
	# Frappe's check accepts ı and ſ as letters from a to z, which SMTP does not before the @.
	return address.rpartition("@")[0].isascii() and validate_email_address(address) == address


@lru_cache(maxsize=8192)
def normalize(address: str) -> str:
	"""Return the form in which addresses are compared: lower case, the domain in its ASCII form (IDNA).

	A plus tag stays: jane+erp@example.com is another address than jane@example.com.
	"""
	local, _, domain = address.strip().lower().rpartition("@")
	try:
		return f"{local}@{_ascii_domain(domain)}"
	except UnicodeError:
		return f"{local}@{domain}"  # IDNA does not accept the domain


def spellings(address: str) -> list[str]:
	"""Return the spellings of `address` in records: as given, normalized, and with the domain in Unicode. The database ignores case."""
	normalized = normalize(address)
	local, _, domain = normalized.rpartition("@")
	return sorted({address.strip(), normalized, f"{local}@{_unicode_domain(domain)}"})


@lru_cache(maxsize=8192)
def live_key(campaign: str, *identity: str) -> str:
	"""Return the value of a unique column: the same for the same campaign and identity, 32 characters."""
	text = "\0".join((campaign, *identity))
	return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def hash_address(address: str) -> str:
	"""Return 32 characters that identify an address that is not stored, the same for every spelling of it.

	The key is a secret of site_config.json, so that nobody can guess addresses with the database alone:
	`drip_address_key`, else a key derived from the site's encryption key. Changing it loses the opt-outs of erased people.
	"""
	conf = frappe.local.conf
	return _digest(
		address, conf.get("drip_address_key") or conf.get("encryption_key") or get_encryption_key()
	)


@lru_cache(maxsize=8192)
def _digest(address: str, secret: str) -> str:
	# A batch hashes the same addresses for preferences, suppressions and lists.
	text, key = normalize(address).encode(), _digest_key(secret)
	return hashlib.blake2b(text, digest_size=16, key=key, person=b"drip-address").hexdigest()


@lru_cache(maxsize=16)
def _digest_key(secret: str) -> bytes:
	return hashlib.sha256(b"drip_campaigns.addresses\0" + secret.encode()).digest()


def to_ascii(address: str) -> str:
	"""Return `address` in the form for SMTP: the domain in its ASCII form, the local part as written."""
	local, at, domain = address.strip().rpartition("@")
	return local + at + _ascii_domain(domain) if at else address


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
	# Many recipients share few domains, and IDNA is slow.
	if domain.isascii():
		return domain.encode("idna").decode("ascii")
	# Python's codec follows the rules of 2003, which turn straße.example into the domain of another owner.
	return idna.encode(domain, uts46=True).decode("ascii")


@lru_cache(maxsize=4096)
def _unicode_domain(domain: str) -> str:
	try:
		return idna.decode(domain)
	except UnicodeError:
		return domain
