"""The shared parts of all recipients' pages: the HTML frame, its headers, the error page, and the language.

Pages are small, self-contained documents, without scripts and requests to other hosts.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import frappe
from frappe import _
from frappe.utils.jinja import get_template
from werkzeug.wrappers import Response

from drip_campaigns.core.tracking.tokens import Purpose
from drip_campaigns.pages.site_template import make_site_template
from drip_campaigns.site.languages import direction, find_language
from drip_campaigns.site.settings import postal_address

HEADERS = {
	"Cache-Control": "no-store",
	"Referrer-Policy": "no-referrer",
	"X-Content-Type-Options": "nosniff",
	"X-Frame-Options": "DENY",
	"X-Robots-Tag": "noindex, nofollow",
}


@dataclass(frozen=True)
class PageRequest:
	"""A request for a page: the verified subject of the token, the URL to post to, and the posted form."""

	subject: str
	action_url: str
	form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
	"""A page under /drip/: `show` serves GET and HEAD and changes nothing; `act` serves POST.

	Both raise frappe.DoesNotExistError if the token's subject does not exist; the response is that to an invalid token.
	"""

	purpose: Purpose
	show: Callable[[PageRequest], Response]
	act: Callable[[PageRequest], Response] | None = None


def choose_language(own: str | None = None) -> None:
	"""Use the recipient's language, or else one that the browser accepts, or else the site's."""
	asked = [own, *frappe.local.request.accept_languages.values()]
	for tag in asked:
		if language := find_language(tag):
			frappe.local.lang = language
			return
	frappe.local.lang = frappe.get_system_settings("language") or "en"


def render_page(template: str, status: int = 200, **context: object) -> Response:
	"""Return a page from a template of templates/public in the current language; the template escapes `context`."""
	nonce = secrets.token_urlsafe(16)
	html = get_template(f"drip_campaigns/templates/public/{template}.html").render(
		{**_frame(nonce), **context}
	)
	policy = (
		f"default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self'; form-action 'self'; "
		"base-uri 'none'; frame-ancestors 'none'"
	)
	headers = {**HEADERS, "Content-Security-Policy": policy, "Content-Language": frappe.local.lang}
	return Response(html, status=status, mimetype="text/html", headers=headers)


def render_problem(title: str, message: str, status: int) -> Response:
	"""Return a page that explains a problem and what to do."""
	return render_page("drip_problem", status, title=title, message=message)


def render_not_found() -> Response:
	"""Return the page for every invalid token, whatever the reason."""
	text = _(
		"It may be incomplete or out of date. Please use the link in your latest email, or reply to that email."
	)
	return render_problem(_("This link does not work"), text, 404)


def _frame(nonce: str) -> dict[str, object]:
	language = frappe.local.lang or "en"
	facts = {"brand": brand(), "logo_url": _logo(), "language": language, "direction": direction(language)}
	page = [*frappe.local.request.path.strip("/").split("/"), ""][1]
	return {
		"site_template": make_site_template(page, {**facts, "postal_address": postal_address()}),
		"brand": facts["brand"],
		"logo_url": facts["logo_url"],
		"lang": language,
		"dir": direction(language),
		"nonce": nonce,
		"csrf_token": frappe.session.data.csrf_token or "",
	}


def brand() -> str:
	"""Return the brand name of the pages, or an empty string."""
	own = frappe.get_cached_doc("Drip Settings").page_brand
	name = own or frappe.get_website_settings("app_name") or frappe.db.get_default("company") or ""
	return "" if name == "Frappe" else name


def _logo() -> str:
	own = _own_file(frappe.get_cached_doc("Drip Settings").page_logo)
	return own or _own_file(frappe.get_website_settings("app_logo"))


def _own_file(url: str | None) -> str:
	"""Return `url` if it is a file of this site, because pages make no requests to other hosts; else an empty string."""
	return url if url and url.startswith("/") and not url.startswith("//") else ""
