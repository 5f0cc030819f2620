"""What an edit of a running campaign's lists, exclusions, triggers, goal, and exit rules does to the people in it.

The dialog before a save and the save itself use the same selection: `find_leavers` and `find_returners`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import BrokenRuleError
from drip_campaigns.core.lists import WhenLeft
from drip_campaigns.core.model import CampaignStatus, ExitReason, Status
from drip_campaigns.db.dialect import select_in
from drip_campaigns.enrollment.list_membership import MEMBER
from drip_campaigns.enrollment.resume import count_resumable, resume_enrollments
from drip_campaigns.exit_rules.apply import FIELDS, apply_exits
from drip_campaigns.exit_rules.find_exits import ExitRules, RuleExit
from drip_campaigns.people.exclusions import Exclusions
from drip_campaigns.people.recipients import load_enrolled
from drip_campaigns.plans.enrollment_state import LIVE_VALUES

DOCTYPE = "Drip Enrollment"
PAGE_SIZE = 1000
RULE_FIELDS = (
	*("goal", "goal_recipient_type", "goal_document", "goal_filters", "goal_within_days"),
	*("exit_on_conversion", "exit_when_unmatched"),
)
TRIGGER_FIELDS = ("enabled", "recipient_type", "filters")
_RUNNING = (CampaignStatus.ACTIVE.value, CampaignStatus.PAUSED.value)


def find_leavers(stored, edited, now: datetime) -> dict[str, RuleExit]:
	"""Return whom saving `edited` over `stored`, two Drip Campaign documents, ends, by enrollment, with the reason.

	People who came through a list that is removed leave if its row says so and no other list of the campaign has them. They
	go on when the list is put back.
	"""
	if edited.status not in _RUNNING:
		return {}
	removed = {row.target_list for row in _removed_lists(stored, edited) if row.when_left == WhenLeft.END}
	excludes = _exclusions_of(stored) != _exclusions_of(edited)
	rules = ExitRules(edited) if _rules_of(stored) != _rules_of(edited) else None
	leavers: dict[str, RuleExit] = {}
	for rows in _live_pages(edited.name) if removed or excludes or rules else ():
		if removed:
			leavers |= _find_off_lists(edited, removed, rows)
		if excludes:
			leavers = _find_excluded(edited, rows) | leavers
		if rules:
			leavers = _find_by_rules(rules, rows, now) | leavers
	return leavers


def find_returners(stored, edited) -> list[str]:
	"""Return the enrollments that ended when a list was removed which `edited` includes again, of people who are on it."""
	known = {row.target_list for row in stored.target_lists}
	added = [row.target_list for row in edited.target_lists if row.target_list not in known]
	if not added or edited.status not in _RUNNING:
		return []
	filters = {
		"campaign": edited.name,
		"target_list": ["in", added],
		"status": Status.EXITED.value,
		"exit_reason": ExitReason.LEFT_LIST.value,
	}
	rows = frappe.get_all(DOCTYPE, filters=filters, fields=FIELDS, order_by="name")
	on_list = _find_members(added, rows)
	return [row.name for row in rows if (row.target_list, row.recipient_type, row.recipient) in on_list]


def apply_edit(stored, edited, now: datetime) -> None:
	"""End and resume the enrollments that a saved edit concerns. Does not commit."""
	apply_exits(find_leavers(stored, edited, now), now)
	if returners := find_returners(stored, edited):
		resume_enrollments(returners, now, detail=_("The campaign includes the list again."))


def describe_edit(stored, edited, now: datetime) -> Iterator[str]:
	"""Yield in sentences, with numbers, what `apply_edit` does and what else the edit changes beside the schedule."""
	by_reason: dict[ExitReason, int] = defaultdict(int)
	for leaver in find_leavers(stored, edited, now).values():
		by_reason[leaver.reason] += 1
	sentence = _("{0} leave the campaign and get no more emails from it: {1}.")
	for reason, count in by_reason.items():
		yield sentence.format(count, _(reason.value))
	if returners := find_returners(stored, edited):
		yield _("{0} return through the list and continue where they stopped.").format(
			count_resumable(edited, returners, now)
		)
	yield from _describe_lists(stored, edited)
	yield from _describe_triggers(stored, edited)
	if edited.status in _RUNNING and (stored.sender or "") != (edited.sender or ""):
		yield from _describe_senders(edited.name)


def _describe_senders(campaign: str) -> Iterator[str]:
	"""An enrollment keeps the sender that it was given."""
	live = {"campaign": campaign, "status": ["in", sorted(LIVE_VALUES)]}
	without = frappe.db.count(DOCTYPE, {**live, "sender": ["is", "not set"]})
	if without:
		yield _("{0} get their next emails from another sender.").format(without)
	if kept := frappe.db.count(DOCTYPE, live) - without:
		yield _("{0} keep the sender with whom they were enrolled.").format(kept)


def _describe_lists(stored, edited) -> Iterator[str]:
	known = {row.target_list for row in stored.target_lists}
	for row in edited.target_lists:
		if row.target_list not in known:
			sentence = _(
				"List {0}: who joins it from now on is enrolled. Use Enroll Existing for people who are on it."
			)
			yield sentence.format(row.target_list)
	for row in _removed_lists(stored, edited):
		if row.when_left != WhenLeft.END:
			filters = {"campaign": edited.name, "status": ["in", sorted(LIVE_VALUES)]}
			count = frappe.db.count(DOCTYPE, {**filters, "target_list": row.target_list})
			yield _("List {0}: {1} who came through it stay in the campaign.").format(row.target_list, count)


def _describe_triggers(stored, edited) -> Iterator[str]:
	known = {row.name for row in stored.triggers if row.enabled}
	for row in edited.triggers:
		if row.enabled and row.name not in known:
			yield _(
				"Row {0} of Triggers enrolls people from now on. Use Enroll Existing for earlier ones."
			).format(row.idx)
	kept = {row.name for row in edited.triggers if row.enabled}
	for row in stored.triggers:
		if row.enabled and row.name not in kept:
			yield _("“{0}” enrolls no one any more. People in the campaign stay.").format(row.sentence)


def _removed_lists(stored, edited) -> list[Any]:
	kept = {row.target_list for row in edited.target_lists}
	return [row for row in stored.target_lists if row.target_list not in kept]


def _exclusions_of(campaign) -> set[tuple]:
	return {(row.kind, row.target_list or "", row.value or "") for row in campaign.exclusions}


def _rules_of(campaign) -> tuple:
	triggers = {tuple(row.get(field) or "" for field in TRIGGER_FIELDS) for row in campaign.triggers}
	asks = campaign.exit_when_unmatched
	return tuple(campaign.get(field) or "" for field in RULE_FIELDS), triggers if asks else None


def _live_pages(campaign: str) -> Iterator[list[frappe._dict]]:
	after = ""
	fields = [*FIELDS, "campaign", "email_address"]
	while True:
		filters = {"campaign": campaign, "status": ["in", sorted(LIVE_VALUES)], "name": [">", after]}
		rows = frappe.get_all(DOCTYPE, filters=filters, fields=fields, order_by="name", limit=PAGE_SIZE)
		if not rows:
			return
		yield rows
		after = rows[-1].name


def _find_off_lists(campaign, removed: set[str], rows: Sequence[frappe._dict]) -> dict[str, RuleExit]:
	asked = [row for row in rows if row.target_list in removed]
	others = [row.target_list for row in campaign.target_lists]
	kept = {(kind, name) for _list, kind, name in _find_members(others, asked)}
	return {
		row.name: RuleExit(
			ExitReason.LEFT_LIST, _("The campaign no longer includes the list {0}").format(row.target_list)
		)
		for row in asked
		if (row.recipient_type, row.recipient) not in kept
	}


def _find_members(lists: Sequence[str], rows: Sequence[frappe._dict]) -> set[tuple[str, str, str]]:
	"""Return (list, recipient type, record) of the people of these enrollments who are on one of the lists."""
	if not lists or not rows:
		return set()
	fields = ["target_list", "recipient_type", "recipient", "removed_at", "opted_out"]
	members = select_in(MEMBER, fields, "recipient", [row.recipient for row in rows])
	return {
		(member.target_list, member.recipient_type, member.recipient)
		for member in members
		if member.target_list in lists and not member.removed_at and not member.opted_out
	}


def _find_excluded(campaign, rows: Sequence[frappe._dict]) -> dict[str, RuleExit]:
	recipients = load_enrolled(rows)
	reasons = Exclusions.of(campaign).find(recipients.values())
	return {
		row.name: RuleExit(ExitReason.EXCLUDED, _("The recipient {0}.").format(reason))
		for row in rows
		if (reason := reasons.get((row.recipient_type, row.recipient)))
	}


def _find_by_rules(rules: ExitRules, rows: Sequence[frappe._dict], now: datetime) -> dict[str, RuleExit]:
	try:
		return rules.find(rows, now)
	except BrokenRuleError:  # the dispatch pauses the campaign for it, and names the rule
		return {}
