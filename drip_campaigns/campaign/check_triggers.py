"""Check the triggers of a campaign before it is saved. Each problem names the row, the field, and what to do."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.actions.registry import ACTION_KINDS
from drip_campaigns.campaign.check_actions import find_enroll_edges
from drip_campaigns.campaign.check_filters import find_filter_problems, find_unreadable
from drip_campaigns.core.flow.triggers import find_loop
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.triggers.labels import describe
from drip_campaigns.triggers.registry import TRIGGER_KINDS

DEFAULTED = frozenset(
	("days_from", "local_day", "repeat", "purchase_document", "days")
)  # their defaults stay


def prepare_triggers(campaign) -> None:
	"""Clear the fields that a row's kind doesn't use, keep how far its dates were checked, and write its sentence."""
	before = campaign.get_doc_before_save()
	known = {row.name: row for row in before.triggers} if before else {}
	every = {field for kind in TRIGGER_KINDS.all().values() for field in kind.fields} - {"recipient_type"}
	for row in campaign.triggers:
		kind = TRIGGER_KINDS.get(row.kind)
		for field in every.difference(kind.fields, DEFAULTED):
			row.set(field, None)
		kind.prepare(row)
		was = known.get(row.name)
		# A trigger that is enabled again starts anew: nobody is enrolled for the dates of the time between. One whose rule
		# changes looks at the whole day again.
		row.checked_until = was.checked_until if was and was.enabled and _is_same_rule(was, row) else None
		row.sentence = describe(row)


def _is_same_rule(was, row) -> bool:
	fields = ("enabled", "kind", "recipient_type", "filters", *TRIGGER_KINDS.get(row.kind).fields)
	return all((was.get(field) or None) == (row.get(field) or None) for field in fields)


def find_trigger_problems(campaign) -> Iterator[str]:
	"""Yield what forbids saving a campaign with these triggers."""
	types, before = available_types(), campaign.get_doc_before_save()
	known = {row.name: row for row in before.triggers} if before else {}
	for row in campaign.triggers:
		label = _("Trigger {0}").format(row.idx)
		for problem in _find_problems_of(campaign, row, known.get(row.name), types):
			yield f"{label}: {problem}"
	yield from _find_loop(campaign)


def _find_problems_of(campaign, row, was, types: list[str]) -> Iterator[str]:
	kind = TRIGGER_KINDS.get(row.kind)
	missing = [field for field in kind.needed if not row.get(field)]
	for field in missing:
		yield _("{0} is empty. Choose one.").format(_(row.meta.get_label(field)))
	for field in ("delay_days", "delay_hours", "days"):
		if (row.get(field) or 0) < 0:
			yield _("{0} is {1}. Enter 0 or more.").format(_(row.meta.get_label(field)), row.get(field))
	if row.recipient_type and row.recipient_type not in types:
		message = _("{0} records cannot be enrolled. Choose one of: {1}.")
		yield message.format(_(row.recipient_type), ", ".join(types))
	elif not missing:
		yield from kind.find_problems(row)
		yield from _find_filter_problem(campaign, row, was)


def _find_filter_problem(campaign, row, was) -> Iterator[str]:
	fields = ("recipient_type", "filters", "purchase_document")
	is_unchanged = bool(was) and all(was.get(field) == row.get(field) for field in fields)
	kind = TRIGGER_KINDS.get(row.kind)
	names_document = "purchase_document" in kind.fields and kind.is_available(row)
	unreadable = names_document and find_unreadable(campaign, row.purchase_document, is_unchanged)
	if unreadable:
		yield unreadable
	elif row.recipient_type:
		yield from find_filter_problems(campaign, row.recipient_type, row.filters, is_unchanged)
	elif (row.filters or "[]") != "[]":
		yield _("Filters need a Recipient Type. Choose one.")


def _find_loop(campaign) -> Iterator[str]:
	"""Yield the path of the loop, if completing this campaign leads back into it."""
	starters: dict[str, list[str]] = {}
	others = [*_load_followers(campaign.name), *_load_enrolling(campaign.name)]
	for source, started in [*others, *_find_followed(campaign), *find_enroll_edges(campaign)]:
		starters.setdefault(source, []).append(started)
	loop = find_loop(starters, campaign.name or campaign.campaign_name)
	if loop:
		message = _(
			"These campaigns would start each other forever: {0}. Remove one of the triggers or actions."
		)
		yield message.format(" → ".join(loop))


def _find_followed(campaign) -> list[tuple[str, str]]:
	name, kinds = campaign.name or campaign.campaign_name, TRIGGER_KINDS.labels_with("follows_campaign")
	rows = (row for row in campaign.triggers if row.enabled and row.kind in kinds and row.source_campaign)
	return [(row.source_campaign, name) for row in rows]


def _load_enrolling(but: str | None) -> list[tuple[str, str]]:
	"""Return which campaigns enroll in which others by an action."""
	row = frappe.qb.DocType("Drip Campaign Step")
	query = _query_others(row, but).select(row.parent, row.action_campaign)
	return query.where(row.action.isin(ACTION_KINDS.labels_with("enrolls_in_campaign"))).run()


def _load_followers(but: str | None) -> list[tuple[str, str]]:
	"""Return which campaigns are started by the completion of which others, in the order (completed, started)."""
	row = frappe.qb.DocType("Drip Campaign Trigger")
	query = _query_others(row, but).select(row.source_campaign, row.parent)
	return query.where(row.kind.isin(TRIGGER_KINDS.labels_with("follows_campaign"))).run()


def _query_others(row, but: str | None):
	campaign = frappe.qb.DocType("Drip Campaign")
	query = frappe.qb.from_(row).inner_join(campaign).on(campaign.name == row.parent)
	return query.where((row.enabled == 1) & (campaign.status != "Ended") & (row.parent != (but or "")))
