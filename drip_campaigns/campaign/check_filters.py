"""Check that filters of a campaign work, and that who chose them and the campaign's owner may ask what they ask."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.people.list_filters import InvalidFiltersError, check_filters
from drip_campaigns.people.record_scope import may_read_some


def find_filter_problems(campaign, doctype: str, filters: str | None, is_unchanged: bool) -> Iterator[str]:
	"""Yield what forbids saving filters on `doctype`.

	The owner's rights always count, because the campaign runs with them. Those of the session's user count for filters
	that they choose, not for those that were saved before.
	"""
	problem = find_unreadable(campaign, doctype, is_unchanged)
	if problem:
		yield problem
		return
	try:
		check_filters(doctype, filters, *_find_users(campaign, is_unchanged))
	except InvalidFiltersError as error:
		yield str(error)


def find_unreadable(campaign, doctype: str, is_unchanged: bool) -> str | None:
	"""Return why the campaign may not ask about records of `doctype`, by the same users; None if it may."""
	for user in _find_users(campaign, is_unchanged):
		if not may_read_some(user, doctype):
			message = _("{0} may not read {1} records. Ask for the right Read, or choose other records.")
			return message.format(user, _(doctype))
	return None


def _find_users(campaign, is_unchanged: bool) -> list[str]:
	owner = campaign.owner or frappe.session.user
	return list(dict.fromkeys([owner] if is_unchanged else [owner, frappe.session.user]))
