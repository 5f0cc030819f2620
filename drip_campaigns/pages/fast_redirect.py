"""Fast redirects: a visit to a site that this process knows is redirected and recorded without loading the site.

Frappe opens a session and queries its database for every request. A redirect needs neither, because a step's link always
leads to the same target. Unknown sites and all special cases are served by `api/public.py`.
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

REMEMBERED = timedelta(minutes=1)  # as long as Frappe 16 caches the configuration of a site
MOST_HOSTS = 100  # a visitor can send any host name


@dataclass(frozen=True)
class _Site:
	"""The parts of a site that a visit needs."""

	name: str
	keys: tuple[str, ...]
	buffer: Buffer
	until: datetime


# The sites that served a visit before, by the site that a request names.
_sites: dict[tuple[str, ...], _Site] = {}


def remember_site(request: Request, now: datetime) -> None:
	"""Remember for a minute which site serves such a request; called where Frappe has found it. Never raises."""
	asked = _asked_site(request)
	known = _sites.get(asked)
	if known and now < known.until:
		return
	if len(_sites) >= MOST_HOSTS:
		_sites.clear()
	with suppress(redis.RedisError):
		_sites[asked] = _Site(frappe.local.site, token_keys(), site_buffer(), now + REMEMBERED)


def serve_visit(request: Request, now: datetime) -> Response | None:
	"""Return the response to a visit, or None for other requests and unknown sites."""
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
	# nosemgrep: host-of-request - finds the site, as Frappe does, and makes no link
	return request.host, request.headers.get("X-Frappe-Site-Name", "")
