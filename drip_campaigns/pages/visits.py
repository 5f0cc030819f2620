"""What counted links lead through, and the picture that tells of an open: no page, no cookie, no waiting.

Whatever happens to the campaign, and whether or not the visit can be kept, the recipient gets where the link leads.
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

# One transparent point
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
AHEAD = ("prefetch", "preview")  # what browsers say that look before anybody has asked them to


def follow(rest: str, now: datetime) -> Response:
	"""Send on to where a link leads; raise InvalidTokenError or frappe.DoesNotExistError for one that is none of ours."""
	token, _slash, key = rest.partition("/")
	mail, own_url = read_click(read_token(Purpose.CLICK, token), key)
	target = find_target(key, own_url)
	visit_buffer.push(make_visit(frappe.local.request, VisitKind.CLICK, mail, now, key, own_url))
	return _without_cookies(send_on(target))


def show_picture(rest: str, now: datetime) -> Response:
	"""Return the picture, whatever the token: a mail program shows nothing else in its place."""
	status = 200
	try:
		mail = read_token(Purpose.OPEN, rest.removesuffix(".gif"))
		visit_buffer.push(make_visit(frappe.local.request, VisitKind.OPEN, mail, now))
	except InvalidTokenError:
		frappe.clear_last_message()
		status = 404
	return _without_cookies(send_picture(status))


def send_on(target: str) -> Response:
	"""Return the answer that leads to `target`."""
	return Response(status=302, headers={**HEADERS, "Location": target})


def send_picture(status: int = 200) -> Response:
	"""Return the answer with the picture."""
	return Response(PICTURE, status=status, mimetype="image/gif", headers=HEADERS)


def make_visit(
	request: Request, kind: VisitKind, mail: str, now: datetime, key: str = "", url: str = ""
) -> Visit:
	"""Return what a request tells of who follows the link `key` of an email, or loads its picture."""
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
	"""Frappe's own rule: the first address that the proxies name, else who has connected."""
	return request.headers.get("X-Forwarded-For", "").split(",", 1)[0].strip() or request.remote_addr or ""


def _without_cookies(response: Response) -> Response:
	"""Frappe gives every visitor five; nobody needs them here."""
	manager = getattr(frappe.local, "cookie_manager", None)
	if manager:
		manager.cookies.clear()
		manager.to_delete.clear()
	return response
