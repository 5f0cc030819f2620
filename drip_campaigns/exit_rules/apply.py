"""Apply a campaign's exit rules: when a goal is reached, right before an email is sent, and once a day.

Nothing here commits.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import frappe

from drip_campaigns.core.flow.goals import GoalKind
from drip_campaigns.core.model import LIVE_STATUSES
from drip_campaigns.db.dialect import select_in
from drip_campaigns.enrollment.exit import exit_enrollments
from drip_campaigns.exit_rules.documents import Record, find_people_of, party_fields
from drip_campaigns.exit_rules.find_exits import ExitRules, RuleExit

DOCTYPE = "Drip Enrollment"
FIELDS = ["name", "recipient_type", "recipient", "target_list", "started_at", "creation"]
PAGE_SIZE = 1000
_LIVE = [status.value for status in LIVE_STATUSES]


def exit_before_sending(campaign: str, enrollments: Sequence[str], now: datetime) -> int:
	"""End those of a campaign's enrollments whose exit rules apply at `now`, right before their emails are sent.

	Return how many ended. Raises BrokenRuleError if a rule cannot be evaluated.
	"""
	rules = load_rules(campaign)
	if rules is None or rules.is_empty:
		return 0
	return apply_exits(rules.find(select_in(DOCTYPE, FIELDS, "name", enrollments), now), now)


def exit_in_pages(campaign, now: datetime) -> Iterator[int]:
	"""End the enrollments to which a campaign's exit rules apply, a page at a time; the caller commits after each."""
	rules, after = ExitRules(campaign), ""
	while not rules.is_empty:
		filters = {"campaign": campaign.name, "status": ["in", _LIVE], "name": [">", after]}
		rows = frappe.get_all(DOCTYPE, filters=filters, fields=FIELDS, order_by="name", limit=PAGE_SIZE)
		if not rows:
			return
		yield apply_exits(rules.find(rows, now), now)
		after = rows[-1].name


def exit_at_goal(campaign: str, doctype: str, records: Sequence[str], now: datetime) -> int:
	"""End the enrollments that reached a campaign's goal by these saved records; return how many."""
	document = frappe.get_doc("Drip Campaign", campaign)
	people = {(doctype, name) for name in records}
	if document.goal == GoalKind.DOCUMENT_CREATED:
		people = find_people_of(_find_parties_of(doctype, records))
	filters = {
		"campaign": campaign,
		"status": ["in", _LIVE],
		"recipient": ["in", sorted({name for _kind, name in people})],
	}
	rows = frappe.get_all(DOCTYPE, filters=filters, fields=FIELDS) if people else []
	rows = [row for row in rows if (row.recipient_type, row.recipient) in people]
	return apply_exits(ExitRules(document).find(rows, now), now)


def apply_exits(exits: Mapping[str, RuleExit], now: datetime) -> int:
	"""End these enrollments, each with its reason, and cancel their queued email. Return how many were live."""
	by_exit: dict[RuleExit, list[str]] = defaultdict(list)
	for name, rule_exit in exits.items():
		by_exit[rule_exit].append(name)
	return sum(exit_enrollments(names, by.reason, by.detail, now) for by, names in by_exit.items())


def _find_parties_of(doctype: str, records: Sequence[str]) -> set[Record]:
	"""Return the parties that these documents are for."""
	fields = party_fields(doctype)
	columns = {column for field in fields for column in (field.name, field.doctype_field) if column}
	rows = select_in(doctype, ["name", *sorted(columns)], "name", list(records)) if fields else []
	return {
		(row[field.doctype_field] if field.doctype_field else field.doctype, row[field.name])
		for row in rows
		for field in fields
		if row[field.name]
	}


def load_rules(campaign: str) -> ExitRules | None:
	"""Return the exit rules of a campaign, or None for one that was deleted."""
	try:
		return ExitRules(frappe.get_cached_doc("Drip Campaign", campaign))
	except frappe.DoesNotExistError:  # deleted after the email was queued
		frappe.clear_last_message()
		return None
