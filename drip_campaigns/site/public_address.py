"""The site's public address, to which links in emails lead. It never comes from a request.

Anyone can send a request with any Host header. A link made from it would send recipients to a stranger's server.
"""

import ipaddress
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.utils import get_url, get_url_to_form


def public_url(path: str = "") -> str:
	"""Return the absolute URL of a path of this site, or the site's address. It is that of `host_name` in site_config.json."""
	return get_url(path or None, allow_header_override=False)


def form_url(doctype: str, name: str) -> str:
	"""Return the absolute URL of a record's form in Desk."""
	return public_url(urlsplit(get_url_to_form(doctype, name)).path)


def find_address_problem() -> str | None:
	"""Return why links to the public address don't work for recipients, with the remedy, or None.

	RFC 8058 requires HTTPS. HTTP is fine only on this machine, for development.
	"""
	address = urlsplit(public_url())
	if address.scheme == "https" or is_loopback(address.hostname or ""):
		return None
	return _(
		"Links in emails would lead to {0}, but mail programs require HTTPS. Set the public address of the site: "
		"bench --site {1} set-config host_name https://your-domain"
	).format(public_url(), frappe.local.site)


def is_loopback(host: str) -> bool:
	"""Return whether a host name or address is this machine itself."""
	if host == "localhost" or host.endswith(".localhost"):
		return True
	try:
		return ipaddress.ip_address(host).is_loopback
	except ValueError:
		return False
