"""Evaluate an expression of Python's grammar, node by node: names, fields, comparisons, and what is listed here.

Nothing else can be reached, because nothing is executed but the methods of `_Evaluation`. Each node is a step of the budget.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import Any

from drip_campaigns.core.sandbox.bounds import OPERATORS, TEXT_METHODS
from drip_campaigns.core.sandbox.budget import TooCostlyError, budget, check, check_items, each

LONGEST_EXPRESSION = 2_000  # characters
MOST_STEPS = 100_000
# What can be read of a value, besides the fields of a record
ATTRIBUTES: Mapping[type, frozenset[str]] = {
	str: frozenset({"lower", "upper", "strip", "startswith", "endswith", "split"}),
	date: frozenset({"year", "month", "day", "hour", "minute", "weekday", "date"}),
	timedelta: frozenset({"days"}),
	Mapping: frozenset({"get"}),
}
READABLE = frozenset().union(*ATTRIBUTES.values())
NODES = (
	*(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Call, ast.Subscript),
	*(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.IfExp, ast.Compare, ast.cmpop),
	*(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.List, ast.Tuple, ast.Set, ast.Dict),
	*(ast.GeneratorExp, ast.ListComp, ast.comprehension, ast.Store),
)
_SIGNS: Mapping[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISONS: Mapping[type, Callable[[Any, Any], Any]] = {
	ast.Eq: operator.eq,
	ast.NotEq: operator.ne,
	ast.Lt: operator.lt,
	ast.LtE: operator.le,
	ast.Gt: operator.gt,
	ast.GtE: operator.ge,
	ast.Is: operator.is_,
	ast.IsNot: operator.is_not,
	ast.In: lambda item, items: item in _bounded(items),
	ast.NotIn: lambda item, items: item not in _bounded(items),
}
Scope = dict[str, Any]


@lru_cache(maxsize=1024)
def parse(expression: str) -> ast.expr:
	"""Return the tree of an expression; raise SyntaxError if it has none."""
	if len(expression) > LONGEST_EXPRESSION:
		raise SyntaxError(f"it has more than {LONGEST_EXPRESSION} characters")
	try:
		return ast.parse(expression.strip(), mode="eval").body
	except (ValueError, RecursionError, MemoryError) as error:
		raise SyntaxError(str(error)) from error


def evaluate(tree: ast.expr, names: Mapping[str, Any]) -> Any:
	"""Return the value of an expression; raise TooCostlyError, and what its operations raise."""
	with budget.begin(MOST_STEPS):
		try:
			value = _evaluate(tree, dict(names))
			# A generator has not run yet.
			return bool(value)
		except RecursionError as error:
			raise TooCostlyError from error


def _evaluate(node: ast.expr, scope: Scope) -> Any:
	budget.spend(1)
	return check(_BY_NODE[type(node)](node, scope))


def _bounded(items: Any) -> Any:
	return each(items) if isinstance(items, Iterator) else items


def _name(node: ast.Name, scope: Scope) -> Any:
	return scope[node.id]


def _attribute(node: ast.Attribute, scope: Scope) -> Any:
	value = _evaluate(node.value, scope)
	if node.attr.startswith("_"):
		raise AttributeError(node.attr)
	if isinstance(value, Mapping) and node.attr != "get":
		return value.get(node.attr)
	if not any(isinstance(value, kind) and node.attr in names for kind, names in ATTRIBUTES.items()):
		raise AttributeError(f"{type(value).__name__} has no {node.attr}")
	if isinstance(value, str) and node.attr in TEXT_METHODS:
		return partial(TEXT_METHODS[node.attr], value)
	return getattr(value, node.attr)


def _call(node: ast.Call, scope: Scope) -> Any:
	function = _evaluate(node.func, scope)
	return function(*(_bounded(_evaluate(one, scope)) for one in node.args))


def _subscript(node: ast.Subscript, scope: Scope) -> Any:
	return _evaluate(node.value, scope)[_evaluate(node.slice, scope)]


def _logic(node: ast.BoolOp, scope: Scope) -> Any:
	value = None
	for one in node.values:
		value = _evaluate(one, scope)
		if bool(value) is isinstance(node.op, ast.Or):
			break
	return value


def _sign(node: ast.UnaryOp, scope: Scope) -> Any:
	value = _evaluate(node.operand, scope)
	return not value if isinstance(node.op, ast.Not) else -value


def _choice(node: ast.IfExp, scope: Scope) -> Any:
	return _evaluate(node.body if _evaluate(node.test, scope) else node.orelse, scope)


def _compare(node: ast.Compare, scope: Scope) -> Any:
	left, result = _evaluate(node.left, scope), True
	for sign, one in zip(node.ops, node.comparators, strict=True):
		right = _evaluate(one, scope)
		result = _COMPARISONS[type(sign)](left, right)
		if not result:
			break
		left = right
	return result


def _arithmetic(node: ast.BinOp, scope: Scope) -> Any:
	left, right = _evaluate(node.left, scope), _evaluate(node.right, scope)
	return OPERATORS[_SIGNS[type(node.op)]](left, right)


def _dictionary(node: ast.Dict, scope: Scope) -> Any:
	pairs = zip(node.keys, node.values, strict=True)
	return {_evaluate(key, scope): _evaluate(value, scope) for key, value in pairs}


def _list(node: ast.ListComp, scope: Scope) -> list[Any]:
	found = []
	for value in _loop(node, node.generators, scope):
		found.append(value)
		check_items(len(found))
	return found


def _loop(node: Any, generators: list[ast.comprehension], scope: Scope) -> Iterator[Any]:
	if not generators:
		yield _evaluate(node.elt, scope)
		return
	first, *others = generators
	for item in each(_evaluate(first.iter, scope)):
		inner = dict(scope)
		_bind(first.target, item, inner)
		if all(_evaluate(test, inner) for test in first.ifs):
			yield from _loop(node, others, inner)


def _bind(target: ast.expr, value: Any, scope: Scope) -> None:
	if isinstance(target, ast.Name):
		scope[target.id] = value
		return
	for one, part in zip(target.elts, value, strict=True):
		_bind(one, part, scope)


_BY_NODE: Mapping[type, Callable[[Any, Scope], Any]] = {
	ast.Constant: lambda node, _scope: node.value,
	ast.Name: _name,
	ast.Attribute: _attribute,
	ast.Call: _call,
	ast.Subscript: _subscript,
	ast.BoolOp: _logic,
	ast.UnaryOp: _sign,
	ast.IfExp: _choice,
	ast.Compare: _compare,
	ast.BinOp: _arithmetic,
	ast.List: lambda node, scope: [_evaluate(one, scope) for one in node.elts],
	ast.Tuple: lambda node, scope: tuple(_evaluate(one, scope) for one in node.elts),
	ast.Set: lambda node, scope: {_evaluate(one, scope) for one in node.elts},
	ast.Dict: _dictionary,
	ast.ListComp: _list,
	ast.GeneratorExp: lambda node, scope: _loop(node, node.generators, scope),
}
