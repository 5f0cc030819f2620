"""The records that a campaign may enroll: those that its owner may read or is assigned. Checked for a batch."""

from collections.abc import Sequence

import frappe


def filter_readable(user: str, doctype: str, names: Sequence[str]) -> set[str]:
	"""Return the records among `names` that exist and that `user` may read or is assigned.

	User Permissions, "only if creator", shares and the permission hooks of other apps apply, as in a list view. A user
	who may not read the DocType gets only the records assigned to them.
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
	# An assignment stays after its record is deleted.
	return (
		set(frappe.get_all(doctype, filters={"name": ["in", assigned]}, pluck="name")) if assigned else set()
	)


def filter_in_scope(owner: str, doctype: str, names: Sequence[str]) -> set[str]:
	"""Return the records among `names`, which the session's user may read, that a campaign of `owner` may enroll."""
	if owner in ("Administrator", frappe.session.user):
		return set(names)
	return filter_readable(owner, doctype, names)
