"""Everything a stranger can reach: the page on which a recipient leaves. GET and HEAD show it, POST acts.

Trusts nothing but a verified token. No address is ever shown, and the answer to a bad token does not tell whether
somebody exists. One-click unsubscribe is the POST of RFC 8058: without cookie, login or redirect, answered at once.
"""

import secrets

import frappe
from frappe import _
from frappe.rate_limiter import rate_limit
from frappe.utils.jinja import get_template
from werkzeug.wrappers import Response

from drip_campaigns.core.model import Status
from drip_campaigns.core.tokens import InvalidTokenError
from drip_campaigns.enrollment import enroll
from drip_campaigns.site_clock import utc_now
from drip_campaigns.tracking.urls import LEAVE_PATH, PREVIEW_TOKEN, read_leave_token

POSTS_PER_HOUR = 30
RTL_LANGUAGES = ("ar", "fa", "he", "ps", "ur")
HEADERS = {
	"Cache-Control": "no-store",
	"Referrer-Policy": "no-referrer",
	"X-Content-Type-Options": "nosniff",
	"X-Frame-Options": "DENY",
	"X-Robots-Tag": "noindex, nofollow",
}


class PublicPages:
	"""The pages under /drip/: a page renderer of Frappe's website (hook `page_renderer`)."""

	def __init__(self, path: str | None = None, http_status_code: int | None = None) -> None:
		self.path = (path or frappe.local.request.path).strip("/ ")

	def can_render(self) -> bool:
		"""Say whether the path is one of ours."""
		return self.path == LEAVE_PATH or self.path.startswith(LEAVE_PATH + "/")

	def render(self) -> Response:
		"""Return the page; nothing is changed unless the request is a POST with a valid token."""
		token = self.path[len(LEAVE_PATH) + 1 :]
		try:
			if token == PREVIEW_TOKEN:
				return _problem(_("This is a test"), _("The link of a test e-mail unsubscribes nobody."), 200)
			enrollment = frappe.get_doc("Drip Enrollment", read_leave_token(token))
			if frappe.local.request.method == "POST":
				frappe.form_dict["drip_token"] = token
				return _leave(enrollment)
			return _ask(enrollment)
		except (InvalidTokenError, frappe.DoesNotExistError):
			frappe.clear_last_message()
			text = _(
				"It may be incomplete or out of date. Please use the link of your latest e-mail, or reply to it."
			)
			return _problem(_("This link does not work"), text, 404)
		except frappe.RateLimitExceededError:
			frappe.clear_last_message()
			return _problem(_("Too many requests"), _("Please try again in an hour."), 429)


def _ask(enrollment) -> Response:
	if enrollment.status == Status.UNSUBSCRIBED.value:
		return _page("drip_unsubscribed", 200, campaign_title=_title(enrollment))
	action, csrf_token = frappe.local.request.path, frappe.session.data.csrf_token
	return _page(
		"drip_unsubscribe", 200, campaign_title=_title(enrollment), action_url=action, csrf_token=csrf_token
	)


@rate_limit(key="drip_token", limit=POSTS_PER_HOUR, seconds=3600, ip_based=False)
def _leave(enrollment) -> Response:
	enroll.unsubscribe(enrollment, utc_now())
	return _page("drip_unsubscribed", 200, campaign_title=_title(enrollment))


def _problem(title: str, message: str, status: int) -> Response:
	return _page("drip_problem", status, title=title, message=message)


def _title(enrollment) -> str:
	return frappe.db.get_value("Drip Campaign", enrollment.campaign, "campaign_name")


def _page(template: str, status: int, **context) -> Response:
	language = frappe.local.lang or "en"
	nonce = secrets.token_urlsafe(16)
	brand = frappe.get_website_settings("app_name") or frappe.db.get_default("company") or ""
	frame = {
		"brand": "" if brand == "Frappe" else brand,
		"logo_url": _own_file(frappe.get_website_settings("app_logo")),
		"lang": language,
		"dir": "rtl" if language.split("-")[0] in RTL_LANGUAGES else "ltr",
		"nonce": nonce,
	}
	html = get_template(f"drip_campaigns/templates/public/{template}.html").render({**frame, **context})
	policy = (
		f"default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self'; form-action 'self'; "
		"base-uri 'none'; frame-ancestors 'none'"
	)
	return Response(
		html, status=status, mimetype="text/html", headers={**HEADERS, "Content-Security-Policy": policy}
	)


def _own_file(url: str | None) -> str:
	"""A logo is shown only from this site: a recipient's page asks nobody else for anything."""
	return url if url and url.startswith("/") and not url.startswith("//") else ""
