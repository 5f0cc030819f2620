"""E-mail addresses as keys: when two spellings are one address, and when a string is none."""

import hashlib

from frappe.utils import validate_email_address


def is_valid(address: str | None) -> bool:
	"""Say whether `address` is exactly one well-formed e-mail address."""
	return bool(address) and "," not in address and validate_email_address(address) == address


def normalise(address: str) -> str:
	"""Return the form in which addresses are compared: lower case, the domain in its ASCII form (IDNA).

	Plus-addressing is left alone: jane+erp@example.com is an address of its own.
	"""
	local, _, domain = address.strip().lower().rpartition("@")
	try:
		domain = domain.encode("idna").decode("ascii")
	except UnicodeError:
		return f"{local}@{domain}"  # a domain that IDNA refuses is compared as it is written
	return f"{local}@{domain}"


def live_key(campaign: str, *identity: str) -> str:
	"""Return the value of a unique column: the same for the same campaign and identity, 32 characters."""
	text = "\0".join((campaign, *identity))
	return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def on_the_wire(address: str) -> str:
	"""Return `address` as SMTP carries it: the domain in its ASCII form, the local part as written."""
	local, at, domain = address.strip().rpartition("@")
	return local + at + domain.encode("idna").decode("ascii") if at else address
