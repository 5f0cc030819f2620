"""The frame that a site gives its recipients' pages: its own HTML around ours, its own style, its own color.

Written by whoever may write Drip Settings, and still not trusted: filled in the sandbox of campaign texts, sanitized, and
shown under a policy that runs no script and asks no other host. A frame that fails leaves the page as it is without one.
"""

from dataclasses import dataclass

import frappe
from bs4 import BeautifulSoup
from frappe import _
from frappe.utils.html_utils import sanitize_html
from jinja2 import TemplateError, meta
from markupsafe import Markup

from drip_campaigns.core.colors import Accent, is_color, make_accent
from drip_campaigns.rendering.templates import html_environment

LARGEST = 20_000  # characters of the frame, and of the style
NAMES = ("content", "brand", "logo_url", "language", "direction", "page", "postal_address")
LIGHT_GROUNDS, DARK_GROUNDS = ("#ffffff", "#f4f5f7"), ("#1f252c", "#14181d")  # as in drip_page.html
_MARK = "drip-content-stands-here"
# What belongs to the document, acts, or asks somebody for something.
_FORBIDDEN = (
	*("html", "head", "body", "base", "meta", "link", "title", "style", "script", "noscript", "template"),
	*("form", "input", "button", "select", "textarea", "iframe", "frame", "object", "embed", "main", "h1"),
)


@dataclass(frozen=True)
class SiteTemplate:
	"""What stands around the content of a page: HTML before and after it, and a style sheet."""

	before: str = ""
	after: str = ""
	style: str = ""
	light: Accent | None = None
	dark: Accent | None = None


def make_site_template(page: str, facts: dict[str, str]) -> SiteTemplate:
	"""Return the frame of one page, `facts` filled in; whatever is wrong with it, the page itself can be used."""
	settings = frappe.get_cached_doc("Drip Settings")
	color = settings.page_color or ""
	accents = (make_accent(color, LIGHT_GROUNDS), make_accent(color, DARK_GROUNDS)) if is_color(color) else ()
	before = after = ""
	if settings.page_template:
		try:
			before, after = _fill(settings.page_template, {**facts, "page": page})
		except Exception:  # noqa: BLE001 - who wants to leave is let go, whatever the frame does
			frappe.logger("drip_campaigns").warning(
				"The template of the recipients' pages fails", exc_info=True
			)
	style = settings.page_style or ""
	return SiteTemplate(before, after, "" if find_style_problem(style) else style, *accents)


def find_template_problem(source: str) -> str | None:
	"""Return what is wrong with a template of the pages, in a sentence, or None."""
	if len(source) > LARGEST:
		return _("It has {0} characters. Shorten it to {1} at most.").format(len(source), LARGEST)
	try:
		environment = html_environment()
		unknown = meta.find_undeclared_variables(environment.parse(source)) - {*NAMES, *environment.globals}
		if unknown:
			return _("{0} is not known. Use one of: {1}.").format(
				", ".join(sorted(unknown)), ", ".join(NAMES)
			)
		html = _render(source, dict.fromkeys(NAMES, "x"))
	except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
		return str(error)
	if html.count(_MARK) != 1:
		return _("It must hold {0} once: that is where our page stands.").format("{{ content }}")
	found = BeautifulSoup(html, "html.parser").find(_FORBIDDEN)
	if found:
		return _("It must not hold {0}. Keep to headings from h2 on, text, links and pictures.").format(
			f"<{found.name}>"
		)
	return None


def find_style_problem(source: str) -> str | None:
	"""Return what is wrong with a style sheet of the pages, in a sentence, or None."""
	if len(source) > LARGEST:
		return _("It has {0} characters. Shorten it to {1} at most.").format(len(source), LARGEST)
	if "<" in source or "@import" in source.lower():
		return _("It must hold no < and no @import.")
	return None


def _fill(source: str, facts: dict[str, str]) -> tuple[str, str]:
	before, mark, after = sanitize_html(_render(source, facts), always_sanitize=True).partition(_MARK)
	if not mark:
		raise ValueError("the content is missing")
	return before, after


def _render(source: str, facts: dict[str, str]) -> str:
	return html_environment().from_string(source).render({**facts, "content": Markup(_MARK)})
