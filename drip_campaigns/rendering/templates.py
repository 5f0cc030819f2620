"""The sandbox for campaign texts: Frappe's sandbox, without the database, and strict about unknown names.

Any user who may write a campaign writes texts, which run with the rights of the scheduler. They can use the
recipient's record and formatting helpers, never `frappe.db`, `get_doc`, or a method of a document.
"""

import html
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import frappe
from frappe import _
from frappe.utils.jinja import get_jenv, get_jinja_hooks
from jinja2 import Environment, StrictUndefined, TemplateRuntimeError, TemplateSyntaxError, meta, nodes
from jinja2.defaults import DEFAULT_NAMESPACE
from markupsafe import Markup

from drip_campaigns.rendering.link_targets import named_urls
from drip_campaigns.site.public_address import public_url

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

_ESCAPED = re.compile("[&<>\"']")
_HTML_FIELDTYPES = ("Text Editor", "HTML Editor", "Markdown Editor", "HTML")
_SAFE_FRAPPE_NAMES = (
	"bold",
	"date_format",
	"format",
	"format_date",
	"format_value",
	"get_url",
	"time_format",
	"utils",
)


class TemplateTimeoutError(TemplateRuntimeError):
	"""Filling a text takes too long."""


@dataclass(frozen=True)
class TemplateProblem:
	"""A problem of a text, in a sentence, and its line."""

	message: str
	line: int | None = None


class RecordView:
	"""The recipient's record as a template sees it: its fields, read-only, and no methods."""

	__slots__ = ("_doctype", "_fields")

	def __init__(self, doctype: str, fields: dict[str, Any]) -> None:
		self._doctype = doctype
		self._fields = fields

	def __getattr__(self, fieldname: str) -> Any:
		if fieldname not in self._fields:
			raise AttributeError(fieldname)
		return self._mark(fieldname)

	def __getitem__(self, fieldname: str) -> Any:
		if fieldname not in self._fields:
			raise KeyError(fieldname)
		return self._mark(fieldname)

	def is_field(self, name: str) -> bool:
		"""Return whether a name is a field, and neither a method nor private."""
		return name in self._fields and name[0] != "_" and name not in RecordView.__dict__

	def get(self, fieldname: str, default: Any = None) -> Any:
		"""Return the field's value, or `default` when the record has no such field."""
		return self._mark(fieldname) if fieldname in self._fields else default

	def get_formatted(self, fieldname: str) -> str:
		"""Return the field's value as the Desk would show it."""
		return frappe.format_value(self._fields.get(fieldname), self._field(fieldname))

	def _mark(self, fieldname: str) -> Any:
		value = self._fields[fieldname]
		if not isinstance(value, str) or not _ESCAPED.search(value):
			return value  # escaping would not change it
		field = self._field(fieldname)
		# Frappe has sanitized these when the record was saved; escaping them would show their tags.
		return Markup(value) if field and field.fieldtype in _HTML_FIELDTYPES else value  # nosec B704 # an HTML field of the record, which Frappe sanitized on saving

	def _field(self, fieldname: str) -> Any:
		return frappe.get_meta(self._doctype).get_field(fieldname)


def html_environment() -> Environment:
	"""Return the sandbox for HTML: values are escaped, an empty one prints nothing, an unknown one raises."""
	return _environment(autoescape=True)


def text_environment() -> Environment:
	"""Return the sandbox for subjects and plain text, where nothing is escaped."""
	return _environment(autoescape=False)


def find_problem(
	source: str, doctypes: list[str], also_known: tuple[str, ...] = ()
) -> TemplateProblem | None:
	"""Return the problem of a text that is known before it is rendered, or None.

	A field of `doc` counts as known when a recipient type of `doctypes` has it: which type a recipient has
	is not known yet. `also_known` are names that this kind of text has in addition to those of a step.
	"""
	environment = text_environment()
	try:
		tree = environment.parse(source or "")
	except TemplateSyntaxError as error:
		return TemplateProblem(error.message or "syntax error", error.lineno)
	known = {*CONTEXT_NAMES, *also_known, *environment.globals}
	for name in sorted(meta.find_undeclared_variables(tree) - known):
		return TemplateProblem(
			f"{{{{ {name} }}}} is not known. Use recipient.first_name, or a field of the record as doc.fieldname"
		)
	return _find_unknown_field(tree, doctypes) or _find_unknown_url(tree)


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


def _some_type_has(fieldname: str, doctypes: list[str]) -> bool:
	if fieldname in ("get", "get_formatted"):
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


def to_plain(markup: str) -> str:
	"""Return text without markup entities on one line, for a subject or a header."""
	return " ".join(html.unescape(markup).split())


def _environment(*, autoescape: bool) -> Environment:
	environment = get_jenv().overlay(
		undefined=StrictUndefined, autoescape=autoescape, finalize=_blank_for_none
	)
	full = environment.globals
	hooked, _filters = get_jinja_hooks()
	frappe_names = {name: full["frappe"].get(name) for name in _SAFE_FRAPPE_NAMES if name in full["frappe"]}
	# Never from the Host header of a request
	frappe_names |= {
		"get_url": public_url,
		"utils": frappe._dict(full["frappe"]["utils"], get_url=public_url),
	}
	# Assign, never update: the overlay shares the dict with Frappe's own environment.
	environment.globals = {
		**DEFAULT_NAMESPACE,
		**(hooked or {}),
		"_": full["_"],
		"frappe": frappe._dict(frappe_names),
	}
	_skip_checks_for_records(environment)
	return environment


def _skip_checks_for_records(environment: Environment) -> None:
	"""Skip the sandbox's check for fields of a record: RecordView has no methods that do anything."""
	ask = environment.getattr

	def read(value: Any, name: str) -> Any:
		if type(value) is RecordView and value.is_field(name):
			return value[name]
		return ask(value, name)

	environment.getattr = read


def _blank_for_none(value: Any) -> Any:
	return "" if value is None else value
