"""The site's own look of the recipients' pages: its HTML around ours, its style, and its color.

Users with write permission for Drip Settings write it, and it is still not trusted: it is rendered in the sandbox of
campaign texts, sanitized, and shown under a policy that allows no scripts and no other hosts. If it fails, the page is
shown without it.
"""

from dataclasses import dataclass

import frappe
from bs4 import BeautifulSoup
from frappe import _
from frappe.utils.html_utils import sanitize_html
from jinja2 import meta
from markupsafe import Markup

from drip_campaigns.core.colors import READABLE, contrast, is_color
from drip_campaigns.rendering.templates import html_environment

LARGEST = 20_000  # characters of the template, and of the style
LARGEST_PAGE = 100_000  # characters of the filled template
NAMES = ("content", "brand", "logo_url", "language", "direction", "page", "postal_address")
LIGHT_GROUNDS = ("#ffffff", "#f4f5f7")  # as in drip_page.html
_MARK = "drip-content-goes-here"
# Elements that belong to the document, run code, or ask for input.
_FORBIDDEN = (
	*("html", "head", "body", "base", "meta", "link", "title", "style", "script", "noscript", "template"),
	*("form", "input", "button", "select", "textarea", "iframe", "frame", "object", "embed", "main", "h1"),
)


@dataclass(frozen=True)
class SiteTemplate:
	"""The site's part of a page: HTML before and after the content, a style sheet, and a color of buttons and links."""

	before: str = ""
	after: str = ""
	style: str = ""
	color: str = ""


def make_site_template(page: str, facts: dict[str, str]) -> SiteTemplate:
	"""Return the site's part of one page, filled with `facts`. Never fails; the parts with a problem are empty."""
	settings = frappe.get_cached_doc("Drip Settings")
	before = after = ""
	if settings.page_template:
		try:
			before, after = _fill(settings.page_template, {**facts, "page": page})
		except Exception:  # noqa: BLE001 - an unsubscribe must not depend on the site's template
			frappe.logger("drip_campaigns").warning(
				"The template of the recipients' pages fails", exc_info=True
			)
	style, color = settings.page_style or "", settings.page_color or ""
	return SiteTemplate(
		before,
		after,
		"" if find_style_problem(style) else style,
		"" if find_color_problem(color) else color.strip(),
	)


def find_template_problem(source: str) -> str | None:
	"""Return the problem of a page template as a sentence, or None."""
	if len(source) > LARGEST:
		return _("It has {0} characters. Shorten it to at most {1}.").format(len(source), LARGEST)
	try:
		environment = html_environment()
		unknown = meta.find_undeclared_variables(environment.parse(source)) - {*NAMES, *environment.globals}
		if unknown:
			return _("{0} is unknown. Use one of: {1}.").format(", ".join(sorted(unknown)), ", ".join(NAMES))
		html = _render(source, dict.fromkeys(NAMES, "x"))
	except Exception as error:  # noqa: BLE001 - a text can fail in any way
		return str(error)
	if html.count(_MARK) != 1:
		return _("Add {0} exactly once, where the page itself goes.").format("{{ content }}")
	found = BeautifulSoup(html, "html.parser").find(_FORBIDDEN)
	if found:
		return _("Remove the element “{0}”. Use only headings from h2 on, text, links, and images.").format(
			found.name
		)
	return None


def find_style_problem(source: str) -> str | None:
	"""Return the problem of a style sheet as a sentence, or None."""
	if len(source) > LARGEST:
		return _("It has {0} characters. Shorten it to at most {1}.").format(len(source), LARGEST)
	if "<" in source or "@import" in source.lower():
		return _("Remove all < characters and @import rules.")
	return None


def find_color_problem(color: str) -> str | None:
	"""Return the problem of a page color as a sentence, or None."""
	if not is_color(color):
		return _("Enter a color such as #1a6fc9.")
	ratio = min(contrast(color, ground) for ground in LIGHT_GROUNDS)
	if ratio < READABLE:
		return _(
			"{0} has a contrast of {1}:1 on the page, but readable text needs {2}:1. Choose a darker color."
		).format(color, f"{int(ratio * 10) / 10}", READABLE)
	return None


def _fill(source: str, facts: dict[str, str]) -> tuple[str, str]:
	before, mark, after = sanitize_html(_render(source, facts), always_sanitize=True).partition(_MARK)
	if not mark:
		raise ValueError("the content is missing")
	return before, after


def _render(source: str, facts: dict[str, str]) -> str:
	html = html_environment().from_string(source).render({**facts, "content": Markup(_MARK)})  # nosec B704 # _MARK is a constant
	if len(html) > LARGEST_PAGE:
		raise ValueError(
			_("It has {0} characters. Shorten it to at most {1}.").format(len(html), LARGEST_PAGE)
		)
	return html
