"""A provider's request, and the checks that the modules of the providers share."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe.utils.password import get_decrypted_password

from drip_campaigns.core.inbound.provider_events import UnprovenError

FRESH = timedelta(hours=24)  # providers repeat a request for hours
AHEAD = timedelta(minutes=10)  # their clock and ours differ
SECRET_HEADER = "X-Webhook-Secret"  # nosec B105 # the name of a header


@dataclass(frozen=True)
class ProviderRequest:
	"""The headers and the body as they arrived."""

	headers: Mapping[str, str]
	body: bytes

	def json(self) -> Any:
		"""Return the body's JSON; raise ValueError if it is not JSON or nested too deeply."""
		try:
			return json.loads(self.body)
		except RecursionError as error:
			raise ValueError from error


def read_secret(field: str) -> str:
	"""Return a secret of Drip Settings; raise UnprovenError if it is not set."""
	secret = get_decrypted_password("Drip Settings", "Drip Settings", field, raise_exception=False)
	if not secret:
		raise UnprovenError
	return secret


def check_shared_secret(request: ProviderRequest, field: str) -> None:
	"""Raise UnprovenError unless the request carries the secret of Drip Settings."""
	given = request.headers.get(SECRET_HEADER) or ""
	if not hmac.compare_digest(given.encode(), read_secret(field).encode()):
		raise UnprovenError


def check_fresh(moment: datetime, now: datetime) -> None:
	"""Raise UnprovenError for a signature that is older than providers repeat requests, or from the future."""
	if not now - FRESH <= moment <= now + AHEAD:
		raise UnprovenError


def setting(field: str) -> str:
	"""Return a plain field of Drip Settings."""
	return frappe.db.get_single_value("Drip Settings", field) or ""
