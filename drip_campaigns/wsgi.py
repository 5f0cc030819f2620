"""The web server's way in, with a short way for links and pictures: `gunicorn drip_campaigns.wsgi:application`.

Stands in place of `frappe.app:application`, which answers everything else (docs/admin/performance.md says when it is worth it).
"""

from collections.abc import Callable, Iterable

import frappe.app
from werkzeug.wrappers import Request

from drip_campaigns.pages import fast_redirect
from drip_campaigns.site.clock import utc_now


def application(environ: dict, start_response: Callable) -> Iterable[bytes]:
	"""Answer a request (WSGI, PEP 3333)."""
	answer = fast_redirect.serve_visit(Request(environ), utc_now()) or frappe.app.application
	return answer(environ, start_response)
