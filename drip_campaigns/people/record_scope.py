"""Whose records a campaign may take in: those that its owner may read, or is assigned. Asked for a batch at once."""

from collections.abc import Sequence

import frappe


def filter_readable(user: str, doctype: str, names: Sequence[str]) -> set[str]:
	"""Return those of the records `names` that are there and that `user` may read or is assigned.

	User Permissions, "only if creator", shares and the permission hooks of other apps count, as in a list of the
	Desk. A user who may not read the DocType at all has what is assigned to them.
	"""
	wanted = list(dict.fromkeys(names))
	if not wanted:
		return set()
	listed = _listed(user, doctype, wanted)
	others = [name for name in wanted if name not in listed]
	return listed | (_assigned(user, doctype, others) if others else set())


def _listed(user: str, doctype: str, names: list[str]) -> set[str]:
	if not frappe.has_permission(doctype, "read", user=user):
		return set()
	filters = {"name": ["in", names]}
	return set(frappe.get_list(doctype, filters=filters, pluck="name", limit_page_length=0, user=user))


def _assigned(user: str, doctype: str, names: list[str]) -> set[str]:
	filters = {
		"allocated_to": user,
		"reference_type": doctype,
		"reference_name": ["in", names],
		"status": ["!=", "Cancelled"],
	}
	assigned = frappe.get_all("ToDo", filters=filters, pluck="reference_name", distinct=True)
	# An assignment outlives its record.
	return (
		set(frappe.get_all(doctype, filters={"name": ["in", assigned]}, pluck="name")) if assigned else set()
	)


def filter_in_scope(owner: str, doctype: str, names: Sequence[str]) -> set[str]:
	"""Return those of `names`, which the session's user may read, that a campaign of `owner` may take in."""
	if owner in ("Administrator", frappe.session.user):
		return set(names)
	return filter_readable(owner, doctype, names)
