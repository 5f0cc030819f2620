"""A WSGI application with a fast path for links and tracking pixels: `gunicorn drip_campaigns.wsgi:application`.

It replaces `frappe.app:application`, and passes all other requests to it (docs/admin/performance.md says when to use it).
"""

from collections.abc import Callable, Iterable

import frappe.app
from werkzeug.wrappers import Request

from drip_campaigns.pages import fast_redirect
from drip_campaigns.site.clock import utc_now


def application(environ: dict, start_response: Callable) -> Iterable[bytes]:
	"""Handle a request (WSGI, PEP 3333)."""
	handle = fast_redirect.serve_visit(Request(environ), utc_now()) or frappe.app.application
	return handle(environ, start_response)
