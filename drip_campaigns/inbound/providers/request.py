"""A provider's request as the modules of the providers read it, and what they have in common."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe.utils.password import get_decrypted_password

from drip_campaigns.core.inbound.provider_events import UnprovenError

FRESH = timedelta(hours=24)  # providers try again for hours
AHEAD = timedelta(minutes=10)  # two clocks
SECRET_HEADER = "X-Webhook-Secret"


@dataclass(frozen=True)
class ProviderRequest:
	"""The headers and the body, byte by byte, as they came."""

	headers: Mapping[str, str]
	body: bytes

	def json(self) -> Any:
		"""Return what the body says; raises ValueError for what is no JSON, or nested deeper than anybody means."""
		try:
			return json.loads(self.body)
		except RecursionError as error:
			raise ValueError from error


def read_secret(field: str) -> str:
	"""Return a secret of Drip Settings; raise UnprovenError where none is set: then nobody can prove anything."""
	secret = get_decrypted_password("Drip Settings", "Drip Settings", field, raise_exception=False)
	if not secret:
		raise UnprovenError
	return secret


def check_shared_secret(request: ProviderRequest, field: str) -> None:
	"""Raise UnprovenError unless the request carries the secret that Drip Settings hold."""
	given = request.headers.get(SECRET_HEADER) or ""
	if not hmac.compare_digest(given.encode(), read_secret(field).encode()):
		raise UnprovenError


def check_fresh(moment: datetime, now: datetime) -> None:
	"""Raise UnprovenError for a signature that is older than a provider would still use."""
	if not now - FRESH <= moment <= now + AHEAD:
		raise UnprovenError


def setting(field: str) -> str:
	"""Return a plain field of Drip Settings."""
	return frappe.db.get_single_value("Drip Settings", field) or ""
