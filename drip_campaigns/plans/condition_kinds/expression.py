"""Conditions for what no other kind can ask: an expression."""

from collections.abc import Iterator

from frappe import _

from drip_campaigns.core.flow.condition_kinds.expression import ExpressionTest
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.plans.condition_kind import ConditionKind
from drip_campaigns.rendering.expressions import find_problem, find_unreadable


class ExpressionCondition(ConditionKind):
	"""Reads fields, and changes nothing."""

	test = ExpressionTest

	def describe(self, test: ExpressionTest) -> str:
		return test.expression

	def find_problem(self, test: ExpressionTest) -> str | None:
		problem = find_problem(test.expression)
		if not problem:
			return None
		return _("The expression {0} cannot be used: {1}.").format(test.expression, problem)

	def find_forbidden(self, test: ExpressionTest, rights: FieldRights) -> Iterator[str]:
		if not find_problem(test.expression) and (
			sentence := find_unreadable(test.expression, available_types(), rights)
		):
			yield sentence
