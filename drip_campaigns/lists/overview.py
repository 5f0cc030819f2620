"""Describe a target list for its form: its counts and its latest refresh."""

from typing import Any

import frappe
from frappe.query_builder.functions import Count, Sum
from pypika import Case

from drip_campaigns.enrollment.list_membership import MEMBER
from drip_campaigns.lists.refreshes import DOCTYPE, find_waiting

_RUN = (
	*("name", "status", "started_at", "finished_at", "total", "processed"),
	*("joined", "came_back", "dropped_out", "unreachable", "error"),
)


def describe(target_list) -> dict[str, Any]:
	"""Return {"members", "opted_out", "dropped_out", "by_type", "run", "question", "campaigns"} of a Drip Target List document."""
	rows = _count_by_type(target_list.name)
	runs = frappe.get_all(
		DOCTYPE,
		filters={"target_list": target_list.name},
		fields=list(_RUN),
		order_by="creation desc",
		limit=1,
	)
	filters = {"target_list": target_list.name}
	return {
		"by_type": {row.recipient_type: int(row.on_it or 0) for row in rows if row.on_it},
		"members": sum(int(row.on_it or 0) for row in rows),
		"opted_out": sum(int(row.left_it or 0) for row in rows),
		"dropped_out": sum(row.total - int(row.on_it or 0) - int(row.left_it or 0) for row in rows),
		"run": runs[0] if runs else None,
		"question": _find_question(target_list.name),
		"campaigns": frappe.get_all(
			"Drip Campaign Target List", filters=filters, pluck="parent", distinct=True
		),
	}


def _find_question(target_list: str) -> dict[str, Any] | None:
	"""Return {"run", "count", "campaigns"} if a user must decide whether to enroll waiting people."""
	filters = {"target_list": target_list, "awaiting_decision": [">", 0]}
	rows = frappe.get_all(
		DOCTYPE, filters=filters, fields=["name as run", "awaiting_decision as count"], limit=1
	)
	campaigns = sorted({row.parent for row in find_waiting(target_list)}) if rows else []
	return {**rows[0], "campaigns": campaigns} if campaigns else None


def _count_by_type(target_list: str) -> list[frappe._dict]:
	member = frappe.qb.DocType(MEMBER)
	is_on = Case().when((member.opted_out == 0) & member.removed_at.isnull(), 1).else_(0)
	return (
		frappe.qb.from_(member)
		.select(member.recipient_type, Count(member.name).as_("total"))
		.select(Sum(is_on).as_("on_it"), Sum(member.opted_out).as_("left_it"))
		.where(member.target_list == target_list)
		.groupby(member.recipient_type)
		.run(as_dict=True)
	)
