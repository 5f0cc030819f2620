"""What counted links lead through, and the picture that tells of an open: no page, no cookie, no waiting.

Whatever happens to the campaign, and whether or not the visit can be kept, the recipient gets where the link leads.
"""

import base64
from datetime import datetime

import frappe
from werkzeug.wrappers import Response

from drip_campaigns.core.tokens import InvalidTokenError, Purpose
from drip_campaigns.core.visits import Visit, VisitKind
from drip_campaigns.pages.frame import HEADERS
from drip_campaigns.row_names import new_name
from drip_campaigns.tracking import buffer
from drip_campaigns.tracking.targets import find_target
from drip_campaigns.tracking.tracker import read_click
from drip_campaigns.tracking.urls import read_token

# One transparent point
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
AHEAD = ("prefetch", "preview")  # what browsers say that look before anybody has asked them to


def follow(rest: str, now: datetime) -> Response:
	"""Send on to where a link leads; raise InvalidTokenError or frappe.DoesNotExistError for one that is none of ours."""
	token, _slash, key = rest.partition("/")
	mail, own_url = read_click(read_token(Purpose.CLICK, token), key)
	target = find_target(key, own_url)
	_note(VisitKind.CLICK, mail, now, key, own_url)
	return _without_cookies(Response(status=302, headers={**HEADERS, "Location": target}))


def show_picture(rest: str, now: datetime) -> Response:
	"""Return the picture, whatever the token: a mail program shows nothing else in its place."""
	status = 200
	try:
		_note(VisitKind.OPEN, read_token(Purpose.OPEN, rest.removesuffix(".gif")), now)
	except InvalidTokenError:
		frappe.clear_last_message()
		status = 404
	return _without_cookies(Response(PICTURE, status=status, mimetype="image/gif", headers=HEADERS))


def _note(kind: VisitKind, mail: str, now: datetime, key: str = "", url: str = "") -> None:
	request = frappe.local.request
	purpose = request.headers.get("Sec-Purpose") or request.headers.get("Purpose") or ""
	buffer.push(
		Visit(
			id=new_name(),
			kind=kind,
			mail=mail,
			at=now,
			key=key,
			url=url,
			agent=request.headers.get("User-Agent") or "",
			network_address=frappe.local.request_ip or "",
			is_ahead=request.method != "GET" or any(word in purpose.lower() for word in AHEAD),
		)
	)


def _without_cookies(response: Response) -> Response:
	"""Frappe gives every visitor five; nobody needs them here."""
	manager = getattr(frappe.local, "cookie_manager", None)
	if manager:
		manager.cookies.clear()
		manager.to_delete.clear()
	return response
