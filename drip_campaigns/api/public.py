"""Everything that guests can reach: the pages under /drip/, as `/drip/<page>/<token>`. GET and HEAD show, POST changes.

Mail providers report bounces and complaints to `/drip/webhook/<provider>`, with a signature. `/drip/click/` redirects a
click, and `/drip/open/` serves the tracking pixel; both only record the visit.

Only a verified token is trusted; the pages themselves are in `pages/`. The response to an invalid token never shows an
address or reveals whether a person exists.
"""

from datetime import timedelta

import frappe
from frappe import _
from werkzeug.exceptions import abort
from werkzeug.wrappers import Request, Response

from drip_campaigns.api.errors import explained
from drip_campaigns.core.inbound.provider_events import UnprovenError
from drip_campaigns.core.tracking.tokens import InvalidTokenError, Purpose
from drip_campaigns.enrollment.sign_up import request_sign_up
from drip_campaigns.inbound.providers.request import ProviderRequest
from drip_campaigns.inbound.webhooks import LARGEST_BODY, PROVIDERS, PartlyProcessedError, process_report
from drip_campaigns.pages import (
	address_change,
	confirm,
	fast_redirect,
	preferences,
	unsubscribe,
	view,
	visits,
)
from drip_campaigns.pages.frame import Page, PageRequest, choose_language, render_not_found, render_problem
from drip_campaigns.pages.rate_limits import TooManyRequestsError, count_request
from drip_campaigns.people.addresses import normalize
from drip_campaigns.rendering.links import PREVIEW_TOKEN, ROOT, read_token
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.messages import refuse

PAGES: dict[str, Page] = {
	page.purpose.value: page
	for page in (unsubscribe.PAGE, preferences.PAGE, address_change.PAGE, confirm.PAGE, view.PAGE)
}
VISITS = {Purpose.CLICK.value: visits.follow, Purpose.OPEN.value: visits.show_picture}
_VISIT_PATHS = tuple(f"/{ROOT}/{name}/" for name in VISITS)
WEBHOOK = "webhook"
_NAMES = frozenset((*PAGES, *VISITS))
WEBHOOKS = frozenset(f"{WEBHOOK}/{provider}" for provider in PROVIDERS)
BODY_REFUSED = 417  # how Frappe responds
POSTS_PER_HOUR = 30  # with one token
BAD_TOKENS_PER_HOUR = 600  # from one network address, which many people may share
# Nobody is refused because of others, and no header of a request counts: a network address can be made up.
SIGN_UPS_OF_AN_ADDRESS = 5  # per hour and campaign; what is more has no effect, because the person was asked
SIGN_UPS_PER_HOUR = 300  # of one campaign; the confirmation emails of more wait for the next hours
SIGN_UPS_AT_ALL = (
	24 * SIGN_UPS_PER_HOUR
)  # per hour of one campaign; more are refused, to protect the database


class PublicPages:
	"""The pages under /drip/: a page renderer of Frappe's website (hook `page_renderer`)."""

	def __init__(self, path: str | None = None, http_status_code: int | None = None) -> None:
		self.path = (path or frappe.local.request.path).strip("/ ")

	def can_render(self) -> bool:
		"""Return whether the path belongs to this app."""
		root, _slash, rest = self.path.partition("/")
		return root == ROOT and (rest.partition("/")[0] in _NAMES or rest in WEBHOOKS)

	def render(self) -> Response:
		"""Return the page; only a POST with a valid token changes anything."""
		_root, name, token = [*self.path.split("/", 2), ""][:3]
		if name == WEBHOOK:
			return _take_webhook(token)
		try:
			return _answer_visit(name, token) if name in VISITS else _answer(PAGES[name], token)
		except TooManyRequestsError:
			return render_problem(_("Too many requests"), _("Please try again in an hour."), 429)


def serve_visit() -> None:
	"""Redirect a click or serve the tracking pixel before Frappe looks for a page (hook `before_request`).

	Frappe would compare the path with the routes of all pages, which takes longer than the whole visit.
	"""
	request = frappe.local.request
	if request.path.startswith(_VISIT_PATHS) and request.method in ("GET", "HEAD"):
		fast_redirect.remember_site(request, utc_now())
		abort(PublicPages().render())


def answer_bad_body(response: Response, request: Request) -> None:
	"""Replace Frappe's response to a body under /drip/ that is not the JSON it says it is (hook `after_request`).

	Frappe reads the body before it looks for a page, and returns 417 with an error of its own.
	"""
	if request.path.startswith(f"/{ROOT}/") and response.status_code == BODY_REFUSED:
		response.status_code = 400
		response.mimetype = "text/plain"
		response.set_data("The body is not a JSON object or list")


def _answer_visit(name: str, rest: str) -> Response:
	"""Redirect a click or serve the tracking pixel, also if recording it fails."""
	try:
		return VISITS[name](rest, utc_now())
	except (InvalidTokenError, frappe.DoesNotExistError):
		choose_language()
		return _refuse()


def _answer(page: Page, token: str) -> Response:
	choose_language()
	if token == PREVIEW_TOKEN:
		return render_problem(_("This is a test"), _("Links in a test email do not change anything."), 200)
	try:
		return _open(page, token)
	except (InvalidTokenError, frappe.DoesNotExistError):
		return _refuse()


def _refuse() -> Response:
	frappe.clear_last_message()
	count_request("bad-token", frappe.local.request_ip or "", BAD_TOKENS_PER_HOUR)
	return render_not_found()


def _open(page: Page, token: str) -> Response:
	request = frappe.local.request
	subject = read_token(page.purpose, token)
	if request.method != "POST" or page.act is None:
		return page.show(PageRequest(subject, request.path))
	count_request(page.purpose.value, token, POSTS_PER_HOUR)
	return page.act(PageRequest(subject, request.path, frappe.local.form_dict))


def _take_webhook(provider: str) -> Response:
	"""Reply to a mail provider: 200 for every signed request, even an irrelevant one, so that it is not sent again."""
	request = frappe.local.request
	if request.method != "POST":
		return Response("POST only", status=405, headers={"Allow": "POST"})
	if (request.content_length or 0) > LARGEST_BODY or len(request.get_data()) > LARGEST_BODY:
		return Response("too large", status=413)
	try:
		process_report(provider, ProviderRequest(request.headers, request.get_data()), utc_now())
	except UnprovenError:
		try:
			count_request("webhook", frappe.local.request_ip or "", BAD_TOKENS_PER_HOUR)
		except TooManyRequestsError:
			return Response("too many requests", status=429)
		return Response("not signed", status=403)
	except PartlyProcessedError:
		return Response("not all of it could be done", status=500)
	except Exception:
		# Frappe returns 500 but commits what a POST has written, and the next attempt would treat this half as known.
		frappe.db.rollback()
		raise
	return Response("ok", status=200)


@frappe.whitelist(allow_guest=True, methods=["POST"])
@explained
def sign_up(campaign: str = "", email_address: str = "", first_name: str = "", last_name: str = "") -> dict:
	"""Send a confirmation email for a campaign that accepts sign-ups. The reply never reveals whether the address is known."""
	choose_language()
	thanks = {"message": _("Thank you. Please open the email we sent you and confirm.")}
	try:
		count_request("sign-up", f"{campaign}\n{normalize(email_address[:320])}", SIGN_UPS_OF_AN_ADDRESS)
	except TooManyRequestsError:
		return thanks
	try:
		number = count_request("sign-ups", campaign, SIGN_UPS_AT_ALL)
	except TooManyRequestsError:
		refuse(_("Please try again in an hour."), exc=frappe.RateLimitExceededError)
	wait = timedelta(hours=(number - 1) // SIGN_UPS_PER_HOUR)
	request_sign_up(campaign, email_address, first_name, last_name, wait)
	return thanks
