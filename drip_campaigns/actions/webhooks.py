"""Call a Frappe Webhook for a recipient: prepared with the owner's rights, sent outside of a transaction.

A refused call, or no connection, is retried. If it is unknown whether a call arrived, the action is in doubt, as an
email can be, and is not retried. Every attempt of one action has the same Idempotency-Key, so the receiver can
recognize a repeated call.
"""

import json
from dataclasses import dataclass
from typing import Any

import frappe
import requests
from frappe import _
from frappe.integrations.doctype.webhook.webhook import get_context, get_webhook_data, get_webhook_headers
from frappe.utils.jinja import get_jenv
from jinja2 import nodes

from drip_campaigns.actions import public_http
from drip_campaigns.actions.context import ActionError, ActionResult, WebhookDoubtError

CONNECT_SECONDS, LONGEST_SECONDS = 5, 30
SILENT_AFTER_SECONDS = 10 * 60
KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True)
class WebhookCall:
	"""One request, ready to be sent."""

	webhook: str
	method: str
	url: str
	headers: dict[str, Any]
	body: str
	timeout: int
	reference: tuple[str, str]


def prepare(name: str, document, key: str) -> WebhookCall:
	"""Return the request that a Webhook makes of a document; `key` is the same for each attempt of one action."""
	webhook = frappe.get_doc("Webhook", name)
	url = webhook.request_url
	if webhook.get("is_dynamic_url"):
		# nosemgrep: template-outside-sandbox - a Webhook, which only a System Manager writes, as Frappe renders it
		url = frappe.render_template(url, get_context(document))
	headers = {"Content-Type": "application/json", **get_webhook_headers(document, webhook), KEY_HEADER: key}
	body = json.dumps(get_webhook_data(document, webhook), default=str)
	timeout = min(webhook.get("timeout") or CONNECT_SECONDS, LONGEST_SECONDS)
	method = webhook.request_method or "POST"
	return WebhookCall(name, method, url, headers, body, timeout, (document.doctype, document.name))


def find_named_fields(name: str) -> set[str]:
	"""Return the names in the fields and templates of a Webhook which may be fields of its document."""
	webhook = frappe.get_doc("Webhook", name)
	templates = [webhook.webhook_json, webhook.request_url if webhook.get("is_dynamic_url") else ""]
	named = {row.fieldname for row in webhook.webhook_data}
	# nosemgrep: template-outside-sandbox - reads the names in the templates, and renders nothing
	for tree in (get_jenv().parse(template or "") for template in templates):
		named |= {node.attr for node in tree.find_all(nodes.Getattr)}
		named |= {node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)}
	return named


def send(call: WebhookCall) -> ActionResult | Exception:
	"""Send a request; return its result, an ActionError to retry, or a WebhookDoubtError."""
	try:
		# Only the status is read: the body may never end.
		with public_http.request(
			call.method, call.url, data=call.body, headers=call.headers,
			timeout=(CONNECT_SECONDS, call.timeout), stream=True,
		) as response:  # fmt: skip
			status, answer = response.status_code, f"{response.status_code} {response.reason}"
	except public_http.ForbiddenHostError as error:
		return ActionError(_("Webhook {0} was not called: {1}").format(call.webhook, error))
	except (
		requests.ConnectTimeout,
		requests.exceptions.InvalidURL,
		requests.exceptions.MissingSchema,
	) as error:
		return ActionError(_("Webhook {0} cannot be reached: {1}").format(call.webhook, error))
	except requests.ConnectionError as error:
		if _was_refused(error):
			return ActionError(_("Webhook {0} cannot be reached: {1}").format(call.webhook, error))
		return _doubt(call, error)
	except requests.RequestException as error:
		return _doubt(call, error)
	if not 200 <= status < 300:
		return ActionError(_("Webhook {0} responded with {1}").format(call.webhook, answer))
	return ActionResult(_("Webhook {0} was called: {1}").format(call.webhook, answer))


def _was_refused(error: requests.ConnectionError) -> bool:
	"""Return whether there was no connection, so that nothing can have arrived."""
	return "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)


def _doubt(call: WebhookCall, error: Exception) -> WebhookDoubtError:
	sentence = _(
		"Webhook {0} was called and did not respond ({1}). The call may have arrived, so it is not repeated."
	)
	return WebhookDoubtError(sentence.format(call.webhook, type(error).__name__))
