"""Messages to users. Frappe shows them as HTML, so this module escapes what goes into them, once and nowhere else.

Everywhere else, a sentence is plain text: errors, problems, refusals, and reasons contain no markup, and "\\n" separates
lines. What is HTML has the type Markup, so that it isn't escaped again. `tests/test_boundaries.py` forbids other ways.
"""

import html
from typing import NoReturn

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import strip_html
from markupsafe import Markup

from drip_campaigns.core.errors import DripError
from drip_campaigns.site.public_address import form_url


def refuse(
	message: str,
	*args: object,
	exc: type[Exception] = frappe.ValidationError,
	title: str | None = None,
) -> NoReturn:
	"""Raise `exc` and show a translated message, filled with `args`, and an optional title, both escaped."""
	# nosemgrep: unescaped-message - as_html escapes
	frappe.throw(str(as_html(message, *args)), exc, title=str(as_html(title)) if title else None)
	raise AssertionError  # frappe.throw always raises


def tell(
	message: str, *args: object, title: str | None = None, indicator: str = "blue", alert: bool = False
) -> None:
	"""Show a translated message, filled with `args`, and an optional title, both escaped; `alert` shows it in a corner."""
	head = str(as_html(title)) if title else None
	# nosemgrep: unescaped-message - as_html escapes
	frappe.msgprint(str(as_html(message, *args)), title=head, indicator=indicator, alert=alert)


def add_note(document: Document, message: str, *args: object) -> None:
	"""Add a translated line, filled with `args` and escaped, to the timeline of a document."""
	# nosemgrep: unescaped-message - as_html escapes
	document.add_comment("Info", str(as_html(message, *args)))


def as_html(message: str, *args: object) -> Markup:
	"""Return a message as HTML. Its places {0}, {1} are filled with `args`; without `args` it is taken as it is.

	Each text is escaped, also the message, except Markup. Quotation marks stay as they are: the result belongs between
	tags, not into an attribute.
	"""
	template = _escape(message)
	return Markup(template.format(*map(_escape, args))) if args else Markup(template)  # nosec B704 # _escape has escaped each part


def bold(text: object) -> Markup:
	"""Return a text in bold, escaped."""
	return Markup("<b>{0}</b>").format(text)


def link_to_form(doctype: str, name: str, text: str) -> Markup:
	"""Return a link with a text, escaped, to the form of a document."""
	return Markup('<a href="{0}">{1}</a>').format(form_url(doctype, name), text)


def read_error(error: Exception) -> str:
	"""Return the message of an error as plain text. Ours are plain; Frappe's contain markup, or only names."""
	if isinstance(error, DripError):
		return str(error)
	if isinstance(error, frappe.DuplicateEntryError | frappe.UniqueValidationError) and len(error.args) > 1:
		return _("{0} {1} already exists, or has a value that must be unique").format(*error.args[:2])
	text = strip_markup(str(error)).strip()
	if isinstance(error, frappe.PermissionError):
		return text or _("{0} doesn't have the permission to do this").format(frappe.session.user)
	is_plain = type(error).__module__ == frappe.exceptions.__name__ and text
	return text if is_plain else f"{type(error).__name__}: {text}"


def strip_markup(markup: str) -> str:
	"""Return HTML as plain text: without tags, and with its entities as characters."""
	return html.unescape(strip_html(markup))


def _escape(value: object) -> str:
	"""Return a text as HTML in a plain str, whose `format` and `+` escape nothing."""
	if isinstance(value, Markup):
		return str(value)
	return html.escape(str(value), quote=False).replace("\n", "<br>")
