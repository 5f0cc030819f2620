"""The keys that sign our links: read and rotated. They are in site_config.json, which no user can read."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import date

import frappe
from frappe.installer import update_site_config
from frappe.utils.password import get_encryption_key

from drip_campaigns.core.tracking.tokens import rotate

CONFIG_KEY = "drip_token_keys"


def token_keys(config: Mapping | None = None) -> tuple[str, ...]:
	"""Return the signing keys, the newest last: one derived from the site's own, then those of site_config.json.

	A web worker of Frappe 16 caches the file for up to a minute. Pass the current file as `config` to check a token
	that a newer key may have signed.
	"""
	configured = frappe.conf if config is None else config
	return (_derived_key(), *(_key_of(entry) for entry in configured.get(CONFIG_KEY) or []))


def rotate_keys(today: date, days: int) -> int:
	"""Add a new signing key, and remove keys that have not signed for `days` days; return how many are kept.

	Links that an older key signed are valid while the key is kept: at least 60 days.
	"""
	kept = rotate(frappe.conf.get(CONFIG_KEY) or [], secrets.token_urlsafe(32), today, days)
	update_site_config(CONFIG_KEY, kept)
	return len(kept)


def forget_keys() -> None:
	"""Remove our keys from site_config.json."""
	if CONFIG_KEY in frappe.conf:
		update_site_config(CONFIG_KEY, "None")  # removes the entry from the file, but not from frappe.conf
		frappe.conf.pop(CONFIG_KEY)


def _key_of(entry: str | Mapping[str, str]) -> str:
	return entry if isinstance(entry, str) else entry["key"]


def _derived_key() -> str:
	# Not the encryption key itself, so that neither can be used as the other.
	return hmac.new(get_encryption_key().encode(), b"drip_campaigns.tokens", hashlib.sha256).hexdigest()
