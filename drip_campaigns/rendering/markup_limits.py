"""What the HTML and CSS of a text may cost the tools that read them. Checked before they run: some take the square of a size."""

import re

from frappe import _
from jinja2 import TemplateRuntimeError

LONGEST = 500_000  # characters; Gmail shows the first 102 KB
LONGEST_CSS = 100_000  # characters of all style sheets
LONGEST_STYLE = 10_000  # characters of one style attribute
MOST_MATCHES = 500_000  # rules of the style sheets times elements
MOST_HEAD_PARTS = 100
MOST_HIDDEN = 1_000
_HEAD_PART = re.compile(r"<(?:style|script|title|head|body)\b", re.IGNORECASE)
_SHEET = re.compile(r"<style\b[^<>]*>(.*?)(?:</style|\Z)", re.IGNORECASE | re.DOTALL)
_LONG_STYLE = re.compile(
	rf"style\s{{0,9}}=\s{{0,9}}(?:\"[^\"]{{{LONGEST_STYLE}}}|'[^']{{{LONGEST_STYLE}}})", re.IGNORECASE
)
_HIDDEN = re.compile(r"display\s{0,9}:\s{0,9}none", re.IGNORECASE)


class MarkupError(TemplateRuntimeError):
	"""The HTML or the CSS of a text cannot be used."""


def check_markup(html: str) -> None:
	"""Raise MarkupError if HTML would take too long to compile."""
	if problem := find_markup_problem(html):
		raise MarkupError(problem)


def find_markup_problem(html: str) -> str | None:
	"""Return why HTML would take too long to compile, and what to do; None if it would not."""
	if len(html) > LONGEST:
		return _("the text has more than {0} characters. Shorten it").format(LONGEST)
	if len(_HEAD_PART.findall(html)) > MOST_HEAD_PARTS:
		return _("the text has more than {0} style sheets and titles. Remove some").format(MOST_HEAD_PARTS)
	if len(_HIDDEN.findall(html)) > MOST_HIDDEN:
		return _("the text hides more than {0} elements. Remove some").format(MOST_HIDDEN)
	css = "".join(_SHEET.findall(html))
	rules = css.count("{") + css.count(",")
	if len(css) > LONGEST_CSS or rules * html.count("<") > MOST_MATCHES or _LONG_STYLE.search(html):
		return _("the text has too many or too long styles. Remove those that it does not use")
	return None
