"""Addresses that identify their email: return paths (VERP), and tagged Reply-To addresses."""

from functools import cached_property

import frappe

from drip_campaigns.core.inbound.message_reference import add_tag
from drip_campaigns.core.tracking.tokens import sign_tag
from drip_campaigns.site.signing_keys import token_keys


class Mailboxes:
	"""The mailboxes of Drip Settings, for one run. An account without its own row uses the row without an account."""

	def __init__(self) -> None:
		rows = frappe.get_cached_doc("Drip Settings").get("mailboxes") or []
		self._rows = {row.email_account or "": row for row in rows}

	@cached_property
	def _keys(self) -> tuple[str, ...]:
		return token_keys()

	def return_path(self, account: str | None, drip_email: str) -> str | None:
		"""Return where bounces of one email go; None for the sender's address."""
		row = self._row(account)
		if not row or not row.return_path:
			return None
		return self._tagged(row.return_path, drip_email)

	def reply_to(self, account: str | None, drip_email: str, address: str) -> str:
		"""Return where replies to one email go: `address`, with a tag if the row asks for tags."""
		row = self._row(account)
		return self._tagged(address, drip_email) if row and row.tags_replies else address

	def _row(self, account: str | None) -> frappe._dict | None:
		return self._rows.get(account or "") or self._rows.get("")

	def _tagged(self, address: str, drip_email: str) -> str:
		tag = sign_tag(drip_email, self._keys)
		return add_tag(address, tag) if tag else address
