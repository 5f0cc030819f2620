"""Who may send in whose name: everyone in their own, Drip Managers in any, others in the names Drip Settings allow.

The principal of a campaign is its owner, of an enrollment also the user who enrolled; a user who chooses a sender
needs the right, too.
"""

from collections.abc import Iterable

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.site.settings import allowed_senders

ROLES_FOR_ANY = {"Drip Manager", "System Manager"}


class SenderRightError(DripError):
	"""The user may not send in this name."""


def may_send_as(user: str, sender: str | None) -> bool:
	"""Return whether `user` may send in the name of the User `sender`; an empty one means the user."""
	return not find_forbidden(user, [sender])


def find_forbidden(user: str, senders: Iterable[str | None]) -> set[str]:
	"""Return those of `senders` in whose name `user` may not send, in no query for oneself and for a Drip Manager."""
	others = {sender for sender in senders if sender and sender != user}
	if not others or user == "Administrator" or ROLES_FOR_ANY.intersection(frappe.get_roles(user)):
		return set()
	users, accounts = allowed_senders()
	left = others - users
	return left - _find_users_of(accounts, left) if left and accounts else left


def require_sender(user: str, sender: str | None) -> None:
	"""Raise SenderRightError, with the remedy, unless `user` may send in the name of `sender`."""
	if not may_send_as(user, sender):
		raise SenderRightError(explain_forbidden(user, sender))


def explain_forbidden(user: str, sender: str) -> str:
	"""Return that `user` may not send in the name of `sender`, and what to do."""
	return _(
		"{0} may not send as {1}. Choose {0} as the sender, or ask a Drip Manager to add {1} to Allowed Senders in Drip Settings."
	).format(user, sender)


def _find_users_of(accounts: Iterable[str], users: set[str]) -> set[str]:
	"""Return those of `users` who send from the address of one of the Email Accounts; built-in users from the default one."""
	rows = frappe.get_all(
		"Email Account", filters={"name": ["in", list(accounts)]}, fields=["email_id", "default_outgoing"]
	)
	found = users.intersection(frappe.STANDARD_USERS) if any(row.default_outgoing for row in rows) else set()
	filters = {"name": ["in", list(users)], "email": ["in", [row.email_id for row in rows if row.email_id]]}
	return found.union(frappe.get_all("User", filters=filters, pluck="name"))
