"""HTTP requests to public servers only: not to this machine, its network, or a cloud's metadata service (SSRF).

A Webhook's address can contain fields of the recipient's record, which strangers fill. `drip_webhook_hosts`, a list in
site_config.json, names the hosts that may be called although they are not public.
"""

import ipaddress
import socket
from typing import Any

import frappe
import requests
from frappe import _
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util import parse_url

from drip_campaigns.core.errors import DripError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenHostError(DripError):
	"""The address does not lead to a public server."""


def request(method: str, url: str, **options: Any) -> requests.Response:
	"""Make a request with the options of `requests.request`; it follows no redirect.

	Raises ForbiddenHostError if the host or one of its addresses is not public, and what `requests` raises.
	"""
	host = _host_of(url)
	with requests.Session() as session:
		if host not in _allowed_hosts():
			_check_addresses(host)
			for scheme in ("http://", "https://"):
				session.mount(scheme, _PublicAdapter())
		return session.request(method, url, allow_redirects=False, **options)


def find_forbidden_host(url: str) -> str | None:
	"""Return the host of `url` if it is certainly not public, as a name or an address; without asking the DNS."""
	host = _host_of(url)
	if host in _allowed_hosts():
		return None
	return host if _is_local(host) else None


def _allowed_hosts() -> set[str]:
	return {str(host).lower() for host in frappe.conf.get("drip_webhook_hosts") or ()}


def _host_of(url: str) -> str:
	try:
		return (parse_url(url).host or "").strip("[]").lower()
	except ValueError:  # urllib3's LocationParseError
		return ""


def _check_addresses(host: str) -> None:
	try:
		found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM) if host else ()
	except (OSError, UnicodeError):
		found = ()  # the request itself reports that the name does not exist
	if _is_local(host) or not all(_is_public(entry[4][0]) for entry in found):
		raise ForbiddenHostError(
			_(
				"{0} is not a public server. Correct the address, or let an administrator add the host to drip_webhook_hosts "
				"in site_config.json."
			).format(host)
		)


def _is_local(host: str) -> bool:
	is_local_name = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
	return is_local_name or not _is_public(host, otherwise=True)


def _is_public(address: str, *, otherwise: bool = False) -> bool:
	"""Return whether an IP address is public; `otherwise` is the result for what is no address."""
	try:
		ip = ipaddress.ip_address(address.partition("%")[0])
	except ValueError:
		return otherwise
	if ip.version == 6:
		inner = (
			ip.ipv4_mapped or ip.sixtofour or (ip in _NAT64 and ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
		)
		ip = inner or ip
	return ip.is_global and not ip.is_multicast


class _PublicPeer:
	"""Checks the address that a connection has really reached: the DNS can return another one than a moment ago."""

	def _new_conn(self) -> socket.socket:
		connection = super()._new_conn()
		peer = connection.getpeername()[0]
		if not _is_public(peer):
			connection.close()
			raise NewConnectionError(self, f"{peer} is not a public address")
		return connection


class _PublicHTTP(_PublicPeer, HTTPConnection):
	pass


class _PublicHTTPS(_PublicPeer, HTTPSConnection):
	pass


class _HTTPPool(HTTPConnectionPool):
	ConnectionCls = _PublicHTTP


class _HTTPSPool(HTTPSConnectionPool):
	ConnectionCls = _PublicHTTPS


class _PublicAdapter(HTTPAdapter):
	def init_poolmanager(self, *args: Any, **options: Any) -> None:
		super().init_poolmanager(*args, **options)
		self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
