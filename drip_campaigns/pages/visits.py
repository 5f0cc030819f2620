"""Redirects of counted links, and the tracking pixel that records opens: no page, no cookie, no waiting.

A link always redirects to its target, whatever happened to the campaign, and even if the visit cannot be recorded.
"""

import base64
from datetime import datetime

import frappe
from werkzeug.wrappers import Request, Response

from drip_campaigns.core.tracking.tokens import InvalidTokenError, Purpose
from drip_campaigns.core.tracking.visits import Visit, VisitKind
from drip_campaigns.pages.frame import HEADERS
from drip_campaigns.rendering.link_targets import find_target
from drip_campaigns.rendering.link_tracker import read_click
from drip_campaigns.rendering.links import read_token
from drip_campaigns.site.row_names import new_name
from drip_campaigns.stats import visit_buffer

# One transparent pixel
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
AHEAD = ("prefetch", "preview")  # sent by browsers that load a link before a person clicks it


def follow(rest: str, now: datetime) -> Response:
	"""Redirect to the target of a link; raise InvalidTokenError or frappe.DoesNotExistError for an unknown link."""
	token, _slash, key = rest.partition("/")
	mail, own_url = read_click(read_token(Purpose.CLICK, token), key)
	target = find_target(key, own_url)
	visit_buffer.push(make_visit(frappe.local.request, VisitKind.CLICK, mail, now, key, own_url))
	return _without_cookies(send_on(target))


def show_picture(rest: str, now: datetime) -> Response:
	"""Return the tracking pixel, whatever the token."""
	status = 200
	try:
		mail = read_token(Purpose.OPEN, rest.removesuffix(".gif"))
		visit_buffer.push(make_visit(frappe.local.request, VisitKind.OPEN, mail, now))
	except InvalidTokenError:
		frappe.clear_last_message()
		status = 404
	return _without_cookies(send_picture(status))


def send_on(target: str) -> Response:
	"""Return a redirect to `target`."""
	return Response(status=302, headers={**HEADERS, "Location": target})


def send_picture(status: int = 200) -> Response:
	"""Return a response with the tracking pixel."""
	return Response(PICTURE, status=status, mimetype="image/gif", headers=HEADERS)


def make_visit(
	request: Request, kind: VisitKind, mail: str, now: datetime, key: str = "", url: str = ""
) -> Visit:
	"""Return what a request reveals about the visitor of the link `key` of an email, or of its pixel."""
	purpose = request.headers.get("Sec-Purpose") or request.headers.get("Purpose") or ""
	return Visit(
		id=new_name(),
		kind=kind,
		mail=mail,
		at=now,
		key=key,
		url=url,
		agent=request.headers.get("User-Agent") or "",
		network_address=_network_address(request),
		is_ahead=request.method != "GET" or any(word in purpose.lower() for word in AHEAD),
	)


def _network_address(request: Request) -> str:
	"""Return the visitor's network address by Frappe's own rule: the first one that proxies name, or else the peer's."""
	return request.headers.get("X-Forwarded-For", "").split(",", 1)[0].strip() or request.remote_addr or ""


def _without_cookies(response: Response) -> Response:
	"""Remove the five cookies that Frappe sets for every visitor; these pages need none."""
	manager = getattr(frappe.local, "cookie_manager", None)
	if manager:
		manager.cookies.clear()
		manager.to_delete.clear()
	return response
