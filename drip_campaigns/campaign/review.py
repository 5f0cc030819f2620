"""A proposed change as a reviewer sees it: old and new side by side, by field and row, and what it means for people.

Everything here is text; the form escapes it.
"""

import json
from collections.abc import Iterator
from typing import Any

import frappe
from frappe import _

from drip_campaigns.campaign.check import find_save_problems
from drip_campaigns.campaign.preview_impact import count_live, preview_impact
from drip_campaigns.campaign.proposals import name_field, read_changes
from drip_campaigns.campaign.snapshots import put_snapshot, take_snapshot
from drip_campaigns.core.campaign_changes import (
	Change,
	ChangeKind,
	Row,
	Snapshot,
	apply_changes,
	compare_words,
)
from drip_campaigns.plans.campaign_plan import step_subject


def describe(proposal) -> dict[str, Any]:
	"""Return a Drip Proposed Change with its rows side by side, its conflicts, and its effect on people in sentences."""
	campaign = frappe.get_doc("Drip Campaign", proposal.campaign)
	changes = read_changes(proposal)
	live = take_snapshot(campaign)
	applied = apply_changes(live, changes)
	now = {id(conflict.change): conflict.now for conflict in applied.conflicts}
	rows = [
		{
			**_describe_change(campaign, change, live, applied.snapshot),
			"conflicts": id(change) in now,
			"now": _show(campaign, change, now.get(id(change)), live),
		}
		for change in changes
	]
	edited = frappe.get_doc("Drip Campaign", proposal.campaign)
	put_snapshot(edited, applied.snapshot)
	is_possible = not applied.conflicts and not any(find_save_problems(edited))
	return {
		"author": proposal.owner,
		"campaign": proposal.campaign,
		"modified": str(proposal.modified),
		"rows": rows,
		"has_conflicts": bool(applied.conflicts),
		"on_board": count_live(campaign.name),
		"sentences": preview_impact(campaign, edited)[1] if is_possible else [],
	}


def _describe_change(campaign, change: Change, live: Snapshot, after: Snapshot) -> dict[str, Any]:
	old, new = compare_words(
		_show(campaign, change, change.old, live), _show(campaign, change, change.new, live, after)
	)
	return {
		"place": _name_place(campaign, change, live),
		"field": _name_change(campaign, change),
		"old": old,
		"new": new,
	}


def _name_change(campaign, change: Change) -> str:
	label = name_field(campaign, change)
	if change.kind is ChangeKind.ADD:
		return _("New row")
	if change.kind is ChangeKind.REMOVE:
		return _("Removed row")
	return _("Order") if change.kind is ChangeKind.ORDER else label


def _name_place(campaign, change: Change, live: Snapshot) -> str:
	"""Return "Steps, row 2: A tip", or "Campaign" for a field of its own."""
	if not change.table:
		return _("Campaign")
	label = _(campaign.meta.get_label(change.table))
	rows = list(live.tables[change.table])
	if change.row not in rows:
		return label
	name = _name_row(campaign, change.table, live.tables[change.table][change.row])
	return _("{0}, row {1}: {2}").format(label, rows.index(change.row) + 1, name)


def _name_row(campaign, table: str, values: Row) -> str:
	"""Return what people call a row: the subject or label of a step, else its first text."""
	if table == "steps":
		name = values.get("label") or step_subject(frappe._dict(values))
		return name or _(values.get("step_type") or "")
	return next((str(value) for value in values.values() if value and isinstance(value, str)), "")


def _show(campaign, change: Change, value: Any, *snapshots: Snapshot) -> str:
	"""Return a value of a change as text."""
	if value is None:
		return ""
	if change.kind is ChangeKind.ORDER:
		return "\n".join(_list_order(campaign, change.table, value, snapshots))
	meta = frappe.get_meta(campaign.meta.get_field(change.table).options) if change.table else campaign.meta
	if change.kind is ChangeKind.SET:
		return _show_value(meta.get_field(change.field), value)
	return "\n".join(_list_values(meta, value))


def _list_order(campaign, table: str, names: list[str], snapshots: tuple[Snapshot, ...]) -> Iterator[str]:
	rows = {name: row for snapshot in snapshots for name, row in snapshot.tables[table].items()}
	for number, name in enumerate(names, 1):
		yield f"{number}. {_name_row(campaign, table, rows[name]) if name in rows else '?'}"


def _list_values(meta, values: Row) -> Iterator[str]:
	"""Yield what a whole row says, without what is empty or the default."""
	for name, value in values.items():
		field = meta.get_field(name)
		if field and value and str(value) != str(field.default or ""):
			yield f"{_(field.label)}: {_show_value(field, value)}"


def _show_value(field, value: Any) -> str:
	if field.fieldtype == "Check":
		return _("Yes") if value else _("No")
	if field.fieldtype == "Select":
		return _(value) if value else ""
	if field.fieldtype == "Code" and str(value)[:1] in ("[", "{"):
		try:
			return json.dumps(json.loads(value), indent=1, ensure_ascii=False)
		except ValueError:
			return str(value)
	return str(value)
