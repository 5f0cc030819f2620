"""Conditions on membership in a Target List."""

from collections import defaultdict

from frappe import _

from drip_campaigns.core.flow.condition_kinds.target_list import ListTest
from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.addresses import hash_address
from drip_campaigns.plans.condition_kind import MembershipKind


class ListCondition(MembershipKind):
	"""The address counts, not the record. A member who opted out or was removed is not on the list."""

	test = ListTest
	label = "Target List"
	doctype = "Drip Target List"

	def describe(self, test: ListTest) -> str:
		sentence = _("isn't on the list {0}") if test.negated else _("is on the list {0}")
		return sentence.format(test.name)

	def load(self, batch) -> dict[str, set[str]]:
		"""Load the lists of each hashed address."""
		asked = {test.key for test in batch.tests_of(ListTest)}
		hashes = [hash_address(one.email) for one in batch.recipients.values() if one.email]
		fields = ["target_list", "address_hash", "removed_at"]
		found = defaultdict(set)
		for row in select_in("Drip Target List Member", fields, "address_hash", hashes, opted_out=0):
			if row.target_list in asked and not row.removed_at:
				found[row.address_hash].add(row.target_list)
		return found

	def key_of(self, enrollment) -> str:
		return hash_address(enrollment.address)
