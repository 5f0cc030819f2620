"""Conditions on a tag of the recipient's record."""

from collections import defaultdict

from frappe import _

from drip_campaigns.core.flow.condition_kinds.tag import TagTest
from drip_campaigns.db.dialect import select_in
from drip_campaigns.plans.condition_kind import ConditionKind


class TagCondition(ConditionKind):
	"""A tag that nobody has used yet is no problem: nobody has it."""

	test = TagTest
	label = "Tag"
	doctype = "Tag"

	def describe(self, test: TagTest) -> str:
		sentence = _("doesn't have the tag {0}") if test.negated else _("has the tag {0}")
		return sentence.format(test.name)

	def load(self, batch) -> dict[tuple[str, str], set[str]]:
		"""Load the tags of each record, in lower case."""
		asked = {test.key for test in batch.tests_of(TagTest)}
		fields = ["document_type", "document_name", "tag"]
		names = [name for _type, name in batch.recipients]
		found = defaultdict(set)
		for row in select_in("Tag Link", fields, "document_name", names):
			if row.tag and row.tag.casefold() in asked:
				found[row.document_type, row.document_name].add(row.tag.casefold())
		return found
