"""Remove members from a target list, and exit the enrollments that came through it. Nothing here commits.

The row of a removed member stays, so that a return is recognized and an opt-out is kept.
"""

from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.lists import WhenLeft
from drip_campaigns.core.model import LIVE_STATUSES, ExitReason
from drip_campaigns.db.bulk_writes import set_values
from drip_campaigns.enrollment.exit import exit_enrollments
from drip_campaigns.enrollment.list_membership import MEMBER, add_to_count
from drip_campaigns.lists.sources import Person
from drip_campaigns.site.clock import to_site

_LIVE = [status.value for status in LIVE_STATUSES]


def find_missing(target_list: str, refresh: str) -> list[str]:
	"""Return the members that a source added and that no source contains in this refresh."""
	member = frappe.qb.DocType(MEMBER)
	return (
		frappe.qb.from_(member)
		.select(member.name)
		.where((member.target_list == target_list) & (member.is_filled == 1) & member.removed_at.isnull())
		.where(member.last_refresh != refresh)
		.run(pluck=True)
	)


def remove_members(target_list: str, members: Sequence[str], now: datetime) -> int:
	"""Remove members from the list; return how many of them had not opted out."""
	fields = ["recipient_type", "recipient", "opted_out"]
	rows = frappe.get_all(MEMBER, filters={"name": ["in", list(members)]}, fields=fields)
	set_values(MEMBER, members, {"removed_at": to_site(now)}, to_site(now))
	gone = [(row.recipient_type, row.recipient) for row in rows if not row.opted_out]
	add_to_count(target_list, -len(gone))
	exit_removed(target_list, gone, now)
	return len(gone)


def exit_removed(target_list: str, people: Sequence[Person], now: datetime) -> int:
	"""Exit the enrollments that came through a list, in campaigns that exit removed members. Return their number.

	People who are on another list of the campaign stay enrolled.
	"""
	filters = {"target_list": target_list, "when_left": WhenLeft.END.value}
	campaigns = frappe.get_all("Drip Campaign Target List", filters=filters, pluck="parent", distinct=True)
	ended = 0
	for campaign in campaigns if people else ():
		removed = set(people) - _find_on_others(campaign, target_list, people)
		names = _find_enrolled(campaign, target_list, removed)
		ended += exit_enrollments(
			names, ExitReason.LEFT_LIST, _("No longer on the list {0}").format(target_list), now
		)
	return ended


def _find_on_others(campaign: str, target_list: str, people: Sequence[Person]) -> set[Person]:
	filters = {"parent": campaign, "target_list": ["!=", target_list]}
	others = frappe.get_all("Drip Campaign Target List", filters=filters, pluck="target_list")
	if not others:
		return set()
	on_one = {"target_list": ["in", others], "opted_out": 0, "removed_at": ["is", "not set"]}
	names = {"recipient": ["in", [name for _type, name in people]]}
	rows = frappe.get_all(MEMBER, filters={**on_one, **names}, fields=["recipient_type", "recipient"])
	return {(row.recipient_type, row.recipient) for row in rows}


def _find_enrolled(campaign: str, target_list: str, people: set[Person]) -> list[str]:
	by_type: dict[str, list[str]] = {}
	for doctype, name in people:
		by_type.setdefault(doctype, []).append(name)
	through = {"campaign": campaign, "target_list": target_list, "status": ["in", _LIVE]}
	return [
		name
		for doctype, names in by_type.items()
		for name in frappe.get_all(
			"Drip Enrollment",
			filters={**through, "recipient_type": doctype, "recipient": ["in", names]},
			pluck="name",
		)
	]
