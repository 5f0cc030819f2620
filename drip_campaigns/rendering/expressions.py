"""Expressions in conditions: Frappe's sandbox, with the recipient's fields only, and limits on time and size.

The language has nothing that could fill the memory in one step, such as a power or a long repeated text. A timer stops
an expression that takes too long in many small steps.
"""

import ast
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, cstr, date_diff, flt, getdate

from drip_campaigns.core.errors import DripError
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.rendering.templates import limit_time
from drip_campaigns.site.clock import to_site

MOST_SECONDS = 0.2
NAMES = ("doc", "recipient", "today", "now")
FUNCTIONS = {
	"int": cint,
	"float": flt,
	"str": cstr,
	"len": len,
	"abs": abs,
	"min": min,
	"max": max,
	"any": any,
	"all": all,
	"date": getdate,
	"days_between": date_diff,
}
# Attributes of texts and dates; of doc and recipient, every field.
ATTRIBUTES = frozenset(
	{"lower", "upper", "strip", "startswith", "endswith", "split", "get"}
	| {"year", "month", "day", "hour", "minute", "weekday", "days", "date"}
)
_NODES = (
	*(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Call, ast.Subscript),
	*(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.IfExp, ast.Compare, ast.cmpop),
	*(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.List, ast.Tuple, ast.Set, ast.Dict),
	*(ast.GeneratorExp, ast.ListComp, ast.comprehension, ast.Store),
)
_NUMBERS = ("int", "float", "len", "days_between")  # what these return is as short as a number
_GROWING = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.BinOp, ast.ListComp, ast.GeneratorExp)


class ExpressionError(DripError):
	"""An expression of a condition cannot be evaluated."""


def find_problem(expression: str) -> str | None:
	"""Return the problem of an expression before it is evaluated, or None."""
	try:
		tree = ast.parse(expression, mode="eval")
	except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
		return str(error)
	local = {
		node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
	}
	for node in ast.walk(tree):
		if not isinstance(node, _NODES):
			return _("{0} is not allowed").format(type(node).__name__)
		if isinstance(node, ast.Name) and node.id not in {*NAMES, *FUNCTIONS, *local}:
			return _("{0} is not known. Use {1}").format(node.id, ", ".join((*NAMES, *FUNCTIONS)))
		if isinstance(node, ast.Attribute) and not _is_allowed(node):
			return _("{0} is not allowed").format(f".{node.attr}")
		if (
			isinstance(node, ast.BinOp)
			and isinstance(node.op, ast.Mult)
			and not _multiplies_numbers(node, local)
		):
			return _("multiply only a number by a number written as digits")
	return None


def evaluate(expression: str, recipient: Recipient | None, now: datetime) -> bool:
	"""Return whether an expression is true for a recipient; raise ExpressionError if it cannot be evaluated.

	`doc` is a copy of the record's fields, so an expression cannot change the record or the database.
	"""
	problem = find_problem(expression)
	if problem:
		raise ExpressionError(_("The expression {0} cannot be used: {1}.").format(expression, problem))
	wall = to_site(now)
	names = {
		"doc": frappe._dict(recipient.fields if recipient else {}),
		"recipient": _person(recipient),
		"today": wall.date(),
		"now": wall,
	}
	try:
		with limit_time(MOST_SECONDS):
			# As globals, because a generator inside an expression sees no others.
			# nosemgrep: template-outside-sandbox - after find_problem allowed each part of it
			return bool(frappe.safe_eval(expression, {**FUNCTIONS, **names}))
	except Exception as error:
		raise ExpressionError(
			_("The expression {0} cannot be evaluated: {1}.").format(
				expression, f"{type(error).__name__}: {error}"
			)
		) from error


def _is_allowed(node: ast.Attribute) -> bool:
	is_field = isinstance(node.value, ast.Name) and node.value.id in ("doc", "recipient")
	return not node.attr.startswith("_") and (is_field or node.attr in ATTRIBUTES)


def _multiplies_numbers(node: ast.BinOp, local: set[str]) -> bool:
	"""Return whether one side is a small number and the other is not a long text, which a number would repeat."""
	sides = (node.left, node.right)
	numbers = [side.value for side in sides if isinstance(side, ast.Constant)]
	is_small = any(isinstance(number, int | float) and abs(number) <= 10_000 for number in numbers)
	return is_small and not any(_may_be_long(side, local) for side in sides)


def _may_be_long(node: ast.AST, local: set[str]) -> bool:
	if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NUMBERS:
		return False
	if isinstance(node, _GROWING) or (isinstance(node, ast.Name) and node.id in local):
		return True
	return any(_may_be_long(child, local) for child in ast.iter_child_nodes(node))


def _person(recipient: Recipient | None) -> Any:
	known: tuple[str, ...] = ("first_name", "last_name", "full_name", "email", "company", "language")
	return frappe._dict({name: getattr(recipient, name) if recipient else "" for name in known})
