"""The links that stand in e-mails: made here, read here, and nowhere else."""

import hashlib
import hmac

import frappe
from frappe.utils import get_url
from frappe.utils.password import get_encryption_key

from drip_campaigns.core import tokens
from drip_campaigns.core.tokens import Purpose

LEAVE_PATH = "drip/leave"
PREVIEW_TOKEN = "test"


class Links:
	"""The links of a run: what they have in common is worked out once."""

	def __init__(self) -> None:
		self._keys = token_keys()
		self._leave = get_url(f"/{LEAVE_PATH}/")

	def leave(self, enrollment: str) -> str:
		"""Return the page on which the recipient of `enrollment` can leave; opening it changes nothing."""
		return self._leave + tokens.sign(Purpose.LEAVE, enrollment, self._keys)

	def preview(self) -> str:
		"""Return the link of previews and test e-mails: it opens a page that says so, and unsubscribes nobody."""
		return self._leave + PREVIEW_TOKEN


def read_leave_token(token: str) -> str:
	"""Return the enrollment of a leave link's token; raise InvalidTokenError when it is none of ours."""
	return tokens.read(Purpose.LEAVE, token, token_keys())


def token_keys() -> tuple[str, ...]:
	"""Return the signing keys, the newest last: site_config's `drip_token_keys`, else one derived from the site's own.

	Derived, not the encryption key itself: whoever learns the one cannot use it as the other.
	"""
	configured = frappe.conf.get("drip_token_keys")
	if configured:
		return tuple(configured)
	return (hmac.new(get_encryption_key().encode(), b"drip_campaigns.tokens", hashlib.sha256).hexdigest(),)
