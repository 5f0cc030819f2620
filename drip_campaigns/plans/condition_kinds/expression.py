"""Conditions for what no other kind can ask: an expression."""

from frappe import _

from drip_campaigns.core.flow.condition_kinds.expression import ExpressionTest
from drip_campaigns.plans.condition_kind import ConditionKind
from drip_campaigns.rendering.expressions import find_problem


class ExpressionCondition(ConditionKind):
	"""Runs in Frappe's sandbox."""

	test = ExpressionTest

	def describe(self, test: ExpressionTest) -> str:
		return test.expression

	def find_problem(self, test: ExpressionTest) -> str | None:
		problem = find_problem(test.expression)
		if not problem:
			return None
		return _("The expression {0} cannot be used: {1}.").format(test.expression, problem)
