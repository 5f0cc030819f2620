"""Somebody joins a Target List, or rejoins it after opting out. The lists that a campaign includes are such triggers too."""

import frappe
from frappe import _
from frappe.utils import cstr

from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import (
	Person,
	Rows,
	Source,
	TriggerKind,
	is_new,
	load_before,
	make_firing,
)

MEMBER = "Drip Target List Member"


class JoinedTargetList(TriggerKind):
	"""Enrolls the member's record, and notes the list; without a list in the row, any list fires it."""

	label = "Joined Target List"
	optional = ("target_list",)
	watches = MEMBER
	can_loop = True

	def describe(self, row) -> str:
		if row.target_list:
			return _("When someone joins Target List {0}").format(row.target_list)
		return _("When someone joins any Target List")

	def match(self, document, trigger) -> Firing | None:
		if document.opted_out or trigger.target_list not in (None, "", document.target_list):
			return None
		before = load_before(document)
		has_joined = is_new(document) or (before and before.opted_out)
		return make_firing(document, trigger, cstr(document.modified)) if has_joined else None

	def find_people(self, trigger, rows: Rows) -> dict[str, Person]:
		"""A member who was removed meanwhile leads to nobody."""
		filters = {"name": ["in", [row.record for row in rows]], "removed_at": ["is", "not set"]}
		fields = ["name", "recipient_type", "recipient", "target_list"]
		found = {row.name: row for row in frappe.get_all(MEMBER, filters=filters, fields=fields)}
		members = ((row.name, found.get(row.record)) for row in rows)
		return {
			name: Person(member.recipient_type, member.recipient, member.target_list)
			for name, member in members
			if member
		}

	def find_existing(self, trigger, doctype: str) -> Source:
		member = frappe.qb.DocType(MEMBER)
		query = frappe.qb.from_(member).where((member.recipient_type == doctype) & (member.opted_out == 0))
		query = query.where(member.removed_at.isnull())
		if trigger.target_list:
			query = query.where(member.target_list == trigger.target_list)
		return query, member.recipient
