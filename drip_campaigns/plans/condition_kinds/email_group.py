"""Conditions on membership in an Email Group."""

from collections import defaultdict

from frappe import _

from drip_campaigns.core.flow.condition_kinds.email_group import GroupTest
from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.addresses import normalize
from drip_campaigns.plans.condition_kind import MembershipKind


class GroupCondition(MembershipKind):
	"""The address counts, not the record. A member who unsubscribed is not in the group."""

	test = GroupTest
	label = "Email Group"
	doctype = "Email Group"

	def describe(self, test: GroupTest) -> str:
		sentence = _("isn't in the Email Group {0}") if test.negated else _("is in the Email Group {0}")
		return sentence.format(test.name)

	def load(self, batch) -> dict[str, set[str]]:
		"""Load the groups of each address."""
		asked = {test.key for test in batch.tests_of(GroupTest)}
		addresses = sorted({one.email for one in batch.recipients.values() if one.email})
		fields, found = ["email_group", "email"], defaultdict(set)
		for row in select_in("Email Group Member", fields, "email", addresses, unsubscribed=0):
			if row.email_group in asked:
				found[normalize(row.email)].add(row.email_group)
		return found

	def key_of(self, enrollment) -> str:
		return normalize(enrollment.address)
