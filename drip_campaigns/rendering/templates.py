"""The environments of campaign texts, and what is wrong with a text before it is filled.

Any user who may write a campaign writes texts, which run with the rights of the scheduler. They can read the fields of the
recipient's record that the campaign's owner may read, and use the functions of `text_functions.py`. `sandbox/` holds
them to that, and to what they may cost.
"""

import html
import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import frappe
from frappe import _
from jinja2 import Environment, TemplateError, TemplateRuntimeError, meta, nodes

from drip_campaigns.core.errors import DripError
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.rendering.link_targets import named_urls
from drip_campaigns.rendering.record_view import METHODS, RecordView
from drip_campaigns.rendering.sandbox.environment import TextEnvironment
from drip_campaigns.rendering.text_functions import make_filters, make_names

RECIPIENT_FIELDS = ("first_name", "last_name", "full_name", "email", "company")
CONTEXT_NAMES = (
	"doc",
	"recipient",
	"unsubscribe_url",
	"preferences_url",
	"view_url",
	"campaign_name",
	"sender_name",
	"tracking_url",
)


class TemplateTimeoutError(TemplateRuntimeError):
	"""Filling a text takes too long."""


@dataclass(frozen=True)
class TemplateProblem:
	"""A problem of a text, in a sentence, and its line."""

	message: str
	line: int | None = None


def html_environment() -> Environment:
	"""Return the sandbox for HTML: values are escaped, an empty one prints nothing, an unknown one raises."""
	return _environment(autoescape=True)


def text_environment() -> Environment:
	"""Return the sandbox for subjects and plain text, where nothing is escaped."""
	return _environment(autoescape=False)


def find_problem(
	source: str,
	doctypes: list[str],
	rights: FieldRights,
	also_known: tuple[str, ...] = (),
	enrolled: Collection[str] = (),
) -> TemplateProblem | None:
	"""Return the problem of a text that is known before it is rendered, or None.

	A field of `doc` counts as known and readable when it is so for a recipient type of `doctypes`: which type a recipient
	has is not known yet. But each type of `enrolled`, which the campaign is known to enroll, must have it, unless the text
	says what to do without it. `also_known` are names that this kind of text has in addition to those of a step.
	"""
	environment = text_environment()
	try:
		tree = environment.parse(source or "")
		environment.compile(source or "")
	except TemplateError as error:
		return TemplateProblem(error.message or "syntax error", getattr(error, "lineno", None))
	known = {*CONTEXT_NAMES, *also_known, *environment.globals}
	for name in sorted(meta.find_undeclared_variables(tree) - known):
		return TemplateProblem(
			f"{{{{ {name} }}}} is not known. Use recipient.first_name, or a field of the record as doc.fieldname"
		)
	return (
		_find_unknown_field(tree, doctypes)
		or _find_lacking_type(tree, enrolled)
		or _find_unreadable_field(tree, doctypes, rights)
		or _find_unknown_url(tree)
	)


def _find_unknown_url(tree: nodes.Template) -> TemplateProblem | None:
	for call in tree.find_all(nodes.Call):
		if isinstance(call.node, nodes.Name) and call.node.name == "tracking_url":
			name = call.args[0].value if call.args and isinstance(call.args[0], nodes.Const) else None
			if name is not None and name not in named_urls():
				return TemplateProblem(
					f"Tracking URL “{name}” does not exist. Create it, or correct its name", call.lineno
				)
	return None


def _find_unknown_field(tree: nodes.Template, doctypes: list[str]) -> TemplateProblem | None:
	for node in tree.find_all(nodes.Getattr):
		if not isinstance(node.node, nodes.Name):
			continue
		if node.node.name == "recipient" and node.attr not in RECIPIENT_FIELDS:
			known = ", ".join(RECIPIENT_FIELDS)
			return TemplateProblem(
				f"recipient.{node.attr} is not known. A recipient has {known}", node.lineno
			)
		if node.node.name == "doc" and not _some_type_has(node.attr, doctypes):
			return TemplateProblem(f"doc.{node.attr} is not a field of {', '.join(doctypes)}", node.lineno)
	return None


def _find_lacking_type(tree: nodes.Template, enrolled: Collection[str]) -> TemplateProblem | None:
	"""Return which field some type of `enrolled` lacks; nothing if the text says what to do without it."""
	handled = {
		node.node.attr
		for node in tree.find_all((nodes.Test, nodes.Filter))
		if node.name in ("defined", "undefined", "default", "d") and isinstance(node.node, nodes.Getattr)
	}
	for node in tree.find_all(nodes.Getattr):
		is_of_record = isinstance(node.node, nodes.Name) and node.node.name == "doc"
		if not is_of_record or node.attr in handled:
			continue
		for doctype in sorted(enrolled):
			if not _some_type_has(node.attr, [doctype]):
				message = _(
					'doc.{0} is not a field of {1}, which this campaign enrolls. Write doc.get("{0}") instead'
				)
				return TemplateProblem(message.format(node.attr, _(doctype)), node.lineno)
	return None


def _find_unreadable_field(
	tree: nodes.Template, doctypes: list[str], rights: FieldRights
) -> TemplateProblem | None:
	for fieldname, line in _fields_of(tree):
		having = [one for one in doctypes if fieldname in frappe.get_meta(one).get_valid_columns()]
		if having and not any(fieldname in rights.of(doctype) for doctype in having):
			return TemplateProblem(rights.explain(having[0], fieldname).rstrip("."), line)
	return None


def _fields_of(tree: nodes.Template) -> Iterator[tuple[str, int]]:
	"""Yield the fields that a text names as doc.field, doc["field"], doc.get("field"), and doc.get_formatted("field")."""
	for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Call)):
		owner = (
			node.node.node
			if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr)
			else node.node
		)
		if not (isinstance(owner, nodes.Name) and owner.name == "doc"):
			continue
		if isinstance(node, nodes.Getattr) and node.attr not in METHODS:
			yield node.attr, node.lineno
		argument = next(iter(node.args), None) if isinstance(node, nodes.Call) else getattr(node, "arg", None)
		if isinstance(argument, nodes.Const) and isinstance(argument.value, str):
			yield argument.value, node.lineno


def _some_type_has(fieldname: str, doctypes: list[str]) -> bool:
	if fieldname in METHODS:
		return True
	return any(fieldname in frappe.get_meta(doctype).get_valid_columns() for doctype in doctypes)


@contextmanager
def limit_time(seconds: float) -> Iterator[None]:
	"""Raise TemplateTimeoutError in a block that takes more than `seconds` of processor time.

	By the virtual timer, because RQ uses the real one for its jobs. Only a process's main thread can have a
	timer: a worker's jobs run there; in a threaded web server a preview relies on the server's own time-out.
	"""
	if threading.current_thread() is not threading.main_thread():
		yield
		return
	_install_timer()
	signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
	try:
		yield
	finally:
		signal.setitimer(signal.ITIMER_VIRTUAL, 0)


@lru_cache(maxsize=1)
def _install_timer() -> None:
	# Once per process: it takes longer than setting the timer, and nothing else uses this one.
	signal.signal(signal.SIGVTALRM, _raise_timeout)


def _raise_timeout(_signal: int, _frame: object) -> None:
	raise TemplateTimeoutError(_("Filling it takes too long. Check it for an endless loop."))


def describe_error(error: Exception) -> str:
	"""Return why a text cannot be filled; for an error of Python with its name, because its text alone says little."""
	is_told = isinstance(error, TemplateError | DripError)
	return str(error) if is_told else f"{type(error).__name__}: {error}"


def to_plain(markup: str) -> str:
	"""Return text without markup entities on one line, for a subject or a header."""
	return " ".join(html.unescape(markup).split())


class _RecordEnvironment(TextEnvironment):
	def getattr(self, obj: Any, attribute: str) -> Any:
		if type(obj) is not RecordView:
			return super().getattr(obj, attribute)
		if obj.has(attribute):
			return obj.read(attribute)
		if attribute in METHODS:
			return getattr(obj, attribute)
		return self.undefined(hint=obj.explain_missing(attribute), obj=obj, name=attribute)


@lru_cache(maxsize=2)
def _environment(*, autoescape: bool) -> Environment:
	return _RecordEnvironment(autoescape=autoescape, names=make_names(), filters=make_filters())
