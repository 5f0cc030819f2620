"""Find the sender of an email: the enrollment's sender, with the matching Email Account.

Senders are few and recipients many, so each sender is resolved once per run.
"""

from dataclasses import dataclass

import frappe
from frappe import _
from frappe.email.doctype.email_account.email_account import EmailAccount
from frappe.utils import parse_addr

from drip_campaigns.core.errors import DripError


class NoOutgoingAccountError(DripError):
	"""There is no outgoing Email Account to send with."""


@dataclass(frozen=True)
class Sender:
	"""The From name and address, the reply address, and the Email Account that sends."""

	name: str
	address: str
	reply_to: str
	email_account: str | None
	mailbox: str = ""  # an address whose mail this site reads, for unsubscribing by email


class Senders:
	"""The senders of one run, each looked up once."""

	def __init__(self) -> None:
		self._known: dict[str, Sender] = {}

	def find(self, user: str) -> Sender:
		"""Return the sender for a User's name; raise NoOutgoingAccountError if the site cannot send for them."""
		if user not in self._known:
			self._known[user] = _resolve(user)
		return self._known[user]


def _resolve(user: str) -> Sender:
	name, address = _identity(user)
	try:
		account = EmailAccount.find_outgoing(match_by_email=address, _raise_error=True)
	except frappe.OutgoingEmailError as error:
		raise NoOutgoingAccountError(
			_(
				"No outgoing Email Account can send for {0}. Create one and make it the default outgoing account."
			).format(address or user)
		) from error
	if not address:
		name, address = parse_addr(account.default_sender)
	return _through(account, name, address)


def _identity(user: str) -> tuple[str, str]:
	"""Return name and address of a User; built-in users have no address to send from."""
	if not user or user in frappe.STANDARD_USERS:
		return "", ""
	row = frappe.db.get_value("User", user, ["full_name", "email"], as_dict=True) or frappe._dict()
	return row.full_name or "", row.email or user


def _through(account, name: str, address: str) -> Sender:
	"""Apply the account's rules for From, as Frappe's own emails do (email_body.py, replace_sender)."""
	shown_name = account.name if account.always_use_account_name_as_sender_name else name or account.name
	shown_address = account.email_id if account.always_use_account_email_id_as_sender else address
	return Sender(
		name=shown_name,
		address=shown_address,
		reply_to=address,
		email_account=account.name if account.is_exists_in_db() else None,
		mailbox=account.email_id if account.enable_incoming else "",
	)
