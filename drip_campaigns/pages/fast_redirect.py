"""The short way of a visit: who follows a link that this process has met is sent on from memory, and the visit is noted.

Frappe opens a session and asks its database for every request. Neither is needed to send somebody on: a step's link leads
to the same place for ever. What is not remembered, and whatever else is odd, goes the long way (`api/public.py`).
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import frappe
import redis
from werkzeug.wrappers import Request, Response

from drip_campaigns.core.tracking import tokens
from drip_campaigns.core.tracking.tokens import InvalidTokenError, Purpose
from drip_campaigns.core.tracking.visits import VisitKind
from drip_campaigns.pages.visits import make_visit, send_on, send_picture
from drip_campaigns.rendering.link_targets import cached_target
from drip_campaigns.rendering.link_tracker import read_click
from drip_campaigns.rendering.links import LONGEST_CLICK, ROOT
from drip_campaigns.site.signing_keys import token_keys
from drip_campaigns.stats.visit_buffer import Buffer, site_buffer

REMEMBERED = timedelta(minutes=1)  # as long as Frappe 16 itself remembers the configuration of a site
MOST_HOSTS = 100  # a visitor may write any name into a request


@dataclass(frozen=True)
class _Site:
	"""What a visit needs of a site."""

	name: str
	keys: tuple[str, ...]
	buffer: Buffer
	until: datetime


# The sites that have answered the long way, by what a request says of the site it wants.
_sites: dict[tuple[str, ...], _Site] = {}


def remember_site(request: Request, now: datetime) -> None:
	"""Remember for a while which site answers such a request; called where Frappe has found it. Never raises."""
	asked = _asked_site(request)
	known = _sites.get(asked)
	if known and now < known.until:
		return
	if len(_sites) >= MOST_HOSTS:
		_sites.clear()
	with suppress(redis.RedisError):
		_sites[asked] = _Site(frappe.local.site, token_keys(), site_buffer(), now + REMEMBERED)


def serve_visit(request: Request, now: datetime) -> Response | None:
	"""Return the answer to a visit; None for all that is no visit, or takes the long way."""
	root, name, rest = [*request.path.strip("/ ").split("/", 2), "", ""][:3]
	if root != ROOT or name not in _WAYS or request.method not in ("GET", "HEAD"):
		return None
	site = _sites.get(_asked_site(request))
	if not site or site.until <= now:
		return None
	try:
		return _WAYS[name](request, rest, site, now)
	except (InvalidTokenError, redis.RedisError):
		return None


def _follow(request: Request, rest: str, site: _Site, now: datetime) -> Response | None:
	token, _slash, key = rest.partition("/")
	mail, own_url = read_click(tokens.read(Purpose.CLICK, token, site.keys, LONGEST_CLICK), key)
	target = cached_target(site.name, key, own_url)
	if not target:
		return None
	site.buffer.push(make_visit(request, VisitKind.CLICK, mail, now, key, own_url))
	return send_on(target)


def _show_picture(request: Request, rest: str, site: _Site, now: datetime) -> Response:
	mail = tokens.read(Purpose.OPEN, rest.removesuffix(".gif"), site.keys)
	site.buffer.push(make_visit(request, VisitKind.OPEN, mail, now))
	return send_picture()


_WAYS = {Purpose.CLICK.value: _follow, Purpose.OPEN.value: _show_picture}


def _asked_site(request: Request) -> tuple[str, ...]:
	return request.host, request.headers.get("X-Frappe-Site-Name", "")
