"""Expressions in conditions: the recipient's fields that the campaign may read, a few functions, and limits on time and size."""

import ast
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, cstr, date_diff, flt, getdate

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.sandbox import expression as sandbox
from drip_campaigns.people.field_rights import FieldRights, ReadableFields, UnreadableFieldError
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.site.clock import to_site

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
_PERSON = ("first_name", "last_name", "full_name", "email", "company", "language")


class ExpressionError(DripError):
	"""An expression of a condition cannot be evaluated."""


def find_problem(expression: str) -> str | None:
	"""Return the problem of an expression before it is evaluated, or None."""
	try:
		tree = sandbox.parse(expression)
	except SyntaxError as error:
		return str(error)
	local = {
		node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
	}
	for node in ast.walk(tree):
		if not isinstance(node, sandbox.NODES):
			return _("{0} is not allowed").format(type(node).__name__)
		if isinstance(node, ast.Name) and node.id not in {*NAMES, *FUNCTIONS, *local}:
			return _("{0} is not known. Use {1}").format(node.id, ", ".join((*NAMES, *FUNCTIONS)))
		if isinstance(node, ast.Attribute) and not _is_allowed(node):
			return _("{0} is not allowed").format(f".{node.attr}")
	return None


def find_unreadable(expression: str, doctypes: list[str], rights: FieldRights) -> str | None:
	"""Return the sentence about a field that the campaign may read of none of the types that have it, or None."""
	for fieldname in sorted(_fields_of(expression)):
		having = [one for one in doctypes if fieldname in frappe.get_meta(one).get_valid_columns()]
		if having and not any(fieldname in rights.of(doctype) for doctype in having):
			return rights.explain(having[0], fieldname)
	return None


def evaluate(expression: str, recipient: Recipient | None, rights: FieldRights, now: datetime) -> bool:
	"""Return whether an expression is true for a recipient; raise ExpressionError if it cannot be evaluated.

	Raises UnreadableFieldError for a field that the campaign may not read. Nothing of an expression is executed: each
	node of its tree is looked up, so it can change neither the record nor the database.
	"""
	problem = find_problem(expression)
	if problem:
		raise ExpressionError(_("The expression {0} cannot be used: {1}.").format(expression, problem))
	wall = to_site(now)
	names = {
		**FUNCTIONS,
		"doc": ReadableFields(recipient.doctype, recipient.fields, rights) if recipient else {},
		"recipient": {name: getattr(recipient, name) if recipient else "" for name in _PERSON},
		"today": wall.date(),
		"now": wall,
	}
	try:
		return bool(sandbox.evaluate(sandbox.parse(expression), names))
	except UnreadableFieldError:
		raise
	except Exception as error:
		raise ExpressionError(
			_("The expression {0} cannot be evaluated: {1}.").format(
				expression, f"{type(error).__name__}: {error}"
			)
		) from error


def _is_allowed(node: ast.Attribute) -> bool:
	is_field = isinstance(node.value, ast.Name) and node.value.id in ("doc", "recipient")
	return not node.attr.startswith("_") and (is_field or node.attr in sandbox.READABLE)


def _fields_of(expression: str) -> set[str]:
	"""Return the fields of `doc` that an expression names."""
	found: set[Any] = set()
	for node in ast.walk(sandbox.parse(expression)):
		if not isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
			continue
		if isinstance(node, ast.Call):
			is_get = isinstance(node.func, ast.Attribute) and node.func.attr == "get"
			value, key = (node.func.value, node.args[0]) if is_get and node.args else (None, None)
		else:
			value, key = node.value, getattr(node, "slice", None)
		if not (isinstance(value, ast.Name) and value.id == "doc"):
			continue
		found.add(key.value if isinstance(key, ast.Constant) else getattr(node, "attr", None))
	return {name for name in found if isinstance(name, str)}
