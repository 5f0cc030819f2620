"""Which records a user may read, for a batch or as SQL. The one answer that enrolling, files, lists, and verbs use.

"May read" is what opens the form of a record in Frappe: a role with the right Read, "only if creator", User Permissions,
the hooks of other apps, and shares. The right Select, with which a link field lists the names of records, does not count.
A ToDo does not count either: Frappe shares a record with the user to whom it is assigned, and the share counts.
"""

from collections.abc import Sequence
from typing import Any

import frappe
from frappe.permissions import get_role_permissions

from drip_campaigns.db.dialect import hide_percent_signs
from drip_campaigns.site.frappe_versions import build_match_conditions

EVERYTHING, NOTHING = "", "1 = 0"  # conditions


def may_read_some(user: str, doctype: str) -> bool:
	"""Return whether `user` may read records of `doctype`: all, some, or those that are shared."""
	return frappe.has_permission(doctype, "read", user=user)


def filter_readable(user: str, doctype: str, names: Sequence[str]) -> set[str]:
	"""Return the records among `names` that exist and that `user` may read, with the same number of queries for any batch."""
	wanted = list(dict.fromkeys(names))
	if not wanted or not may_read_some(user, doctype):
		return set()
	filters = {"name": ["in", wanted]}
	found = list_readable(doctype, user=user, filters=filters, pluck="name", limit_page_length=0)
	if _has_only_a_form_hook(doctype):
		found = [name for name in found if frappe.has_permission(doctype, "read", doc=name, user=user)]
	return set(map(str, found))


def list_readable(doctype: str, *, user: str | None = None, **options: Any) -> Any:
	"""Call frappe.get_list with `options` for the records that `user` (the session's) may read, not only select."""
	user = user or frappe.session.user
	if alternatives := _find_alternatives(doctype, user):
		options["or_filters"] = alternatives
	return frappe.get_list(doctype, user=user, **options)


def find_read_condition(user: str, doctype: str) -> str:
	"""Return the condition on the table of `doctype` for what `user` may read: EVERYTHING, NOTHING, or SQL without %."""
	if user == "Administrator":
		return EVERYTHING
	shared = _shared_condition(doctype, user)
	if not get_role_permissions(frappe.get_meta(doctype), user=user).get("read"):
		return shared or NOTHING
	own = f"`tab{doctype}`.`owner` = {quote(user)}" if _find_alternatives(doctype, user) else ""
	conditions = [f"({one})" for one in (build_match_conditions(doctype, user), own) if one]
	if not conditions:
		return EVERYTHING
	condition = " AND ".join(conditions)
	return hide_percent_signs(f"(({condition}) OR {shared})" if shared else condition)


def quote(value: str) -> str:
	"""Return a value as SQL."""
	return hide_percent_signs(frappe.db.escape(value, percent=False))


def quote_all(values: Sequence[str]) -> str:
	"""Return values as the list of an IN."""
	return f"({', '.join(map(quote, values))})"


def filter_in_scope(owner: str, doctype: str, names: Sequence[str]) -> set[str]:
	"""Return the records among `names`, which the session's user may read, that a campaign of `owner` may enroll."""
	if owner in ("Administrator", frappe.session.user):
		return set(names)
	return filter_readable(owner, doctype, names)


def _find_alternatives(doctype: str, user: str) -> list[list[Any]]:
	"""Return filters of which one must match, where get_list would list records that the user may only select."""
	if user == "Administrator":
		return []
	rights = get_role_permissions(frappe.get_meta(doctype), user=user)
	if not rights.get("select"):
		return []
	only_own = rights.get("if_owner") or {}
	is_limited = not rights.get("read") or ("read" in only_own and "select" not in only_own)
	if not is_limited:
		return []
	own = [[doctype, "owner", "=", user]] if rights.get("read") else []
	return [*own, [doctype, "name", "in", frappe.share.get_shared(doctype, user) or [""]]]


def _shared_condition(doctype: str, user: str) -> str:
	shared = frappe.share.get_shared(doctype, user)
	return f"`tab{doctype}`.`name` IN {quote_all(shared)}" if shared else ""


def _has_only_a_form_hook(doctype: str) -> bool:
	"""Return whether an app refuses single records of a DocType without a condition for its lists."""
	return bool(frappe.get_hooks("has_permission", {}).get(doctype)) and not frappe.get_hooks(
		"permission_query_conditions", {}
	).get(doctype)
