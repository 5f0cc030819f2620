"""Where a test email may go: to users of Desk and to the addresses that Drip Settings allow, never to suppressed ones."""

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.people.addresses import is_valid, normalize
from drip_campaigns.people.suppression import explain_suppression, find_suppressed
from drip_campaigns.site.settings import test_addresses


class RefusedAddressError(DripError):
	"""A test email may not go to this address."""


def require_test_address(address: str) -> None:
	"""Raise RefusedAddressError, with the remedy, unless a test email may go to `address`."""
	if not is_valid(address):
		raise RefusedAddressError(_("“{0}” is not an email address. Enter exactly one.").format(address))
	if not _is_user(address) and normalize(address) not in {normalize(one) for one in test_addresses()}:
		raise RefusedAddressError(
			_(
				"Tests go only to users of Desk and to Test Addresses. Enter your own address, or ask a Drip Manager to add {0} to Test Addresses in Drip Settings."
			).format(address)
		)
	if reason := find_suppressed([address]).get(normalize(address)):
		raise RefusedAddressError(
			_("{0} {1}, and gets no tests either. Enter another address.").format(
				address, explain_suppression(reason)
			)
		)


def _is_user(address: str) -> bool:
	"""Return whether an enabled user of Desk has this address; portal users are customers, who get no tests."""
	filters = {"email": address.strip(), "enabled": 1, "user_type": "System User"}
	return bool(frappe.db.exists("User", filters))
