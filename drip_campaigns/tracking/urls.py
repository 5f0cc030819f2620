"""The links that stand in e-mails: made here, read here, and nowhere else."""

import frappe
from frappe.utils import get_url

from drip_campaigns.core import tokens
from drip_campaigns.core.tokens import InvalidTokenError, Purpose
from drip_campaigns.tracking.keys import token_keys

ROOT = "drip"
PREVIEW_TOKEN = "test"


class Links:
	"""The links of a run: what they have in common is worked out once."""

	def __init__(self) -> None:
		self._keys = token_keys()
		self._root = get_url(f"/{ROOT}/")

	def leave(self, enrollment: str) -> str:
		"""Return the page on which the recipient of `enrollment` can leave; opening it changes nothing."""
		return self._make(Purpose.LEAVE, enrollment)

	def preferences(self, enrollment: str) -> str:
		"""Return the page on which the recipient of `enrollment` chooses what to get."""
		return self._make(Purpose.PREFERENCES, enrollment)

	def confirm(self, subject: str) -> str:
		"""Return the page on which somebody confirms what `subject`, the id of a record, waits for."""
		return self._make(Purpose.CONFIRM, subject)

	def view(self, drip_email: str) -> str:
		"""Return the page that shows one Drip Email in a browser."""
		return self._make(Purpose.VIEW, drip_email)

	def preview(self, purpose: Purpose = Purpose.LEAVE) -> str:
		"""Return a link of previews and test e-mails: it opens a page that says so, and changes nothing."""
		return f"{self._root}{purpose.value}/{PREVIEW_TOKEN}"

	def _make(self, purpose: Purpose, subject: str) -> str:
		return f"{self._root}{purpose.value}/{tokens.sign(purpose, subject, self._keys)}"


def read_token(purpose: Purpose, token: str) -> str:
	"""Return the subject of a link's token; raise InvalidTokenError when it is none of ours."""
	try:
		return tokens.read(purpose, token, token_keys())
	except InvalidTokenError:
		return tokens.read(purpose, token, token_keys(frappe.get_site_config()))
