"""Call a Frappe Webhook about the recipient's record, or about the enrollment."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.actions import webhooks
from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.kind import Action, quote, require_record
from drip_campaigns.actions.public_http import find_forbidden_host
from drip_campaigns.core.flow.actions import ActionKind
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.people.recipient_types import available_types

ENROLLMENT = "Drip Enrollment"


class CallWebhook(Action):
	"""Prepares the request in a transaction; the job sends it outside of one. Skips records of another type."""

	label = ActionKind.WEBHOOK.value
	needed = ("webhook",)
	rights = (("Webhook", "read"),)
	calls_out = True

	def describe(self, step) -> str:
		return _("Call the Webhook {0}").format(quote(step.webhook))

	def find_problems(self, campaign, step) -> Iterator[str]:
		found = frappe.db.get_value("Webhook", step.webhook, ["webhook_doctype", "request_url"])
		doctype, url = found or ("", "")
		if doctype and doctype not in (*available_types(), ENROLLMENT):
			message = _("Webhook {0} is about {1}. Choose one about a recipient's record or Drip Enrollment.")
			yield message.format(step.webhook, _(doctype))
		if host := find_forbidden_host(url or ""):
			message = _(
				"Webhook {0} calls {1}, which is not a public server. Choose another Webhook, or let an administrator add "
				"the host to drip_webhook_hosts in site_config.json."
			)
			yield message.format(step.webhook, host)

	def prepare_call(self, context: ActionContext) -> webhooks.WebhookCall | ActionResult:
		"""Return the request to send, or the result if there is none."""
		name = require_record("Webhook", context.step.webhook)
		doctype = frappe.db.get_value("Webhook", name, "webhook_doctype")
		record = (context.row.recipient_type, context.row.recipient)
		if doctype == ENROLLMENT:
			record = (ENROLLMENT, context.row.enrollment)
		elif doctype != context.row.recipient_type:
			return ActionResult(_("Skipped: {0} isn't a {1}").format(context.who, _(doctype)))
		document = frappe.get_doc(*record)
		document.check_permission("read")
		_hide_fields(document, name, context.campaign.owner)
		return webhooks.prepare(name, document, context.row.name)


def _hide_fields(document, webhook: str, owner: str) -> None:
	"""Empty the fields that the owner may not read; raise UnreadableFieldError if the Webhook names one of them."""
	rights = FieldRights(owner)
	hidden = set(document.meta.get_fieldnames_with_value()) - rights.of(document.doctype)
	for field in sorted(hidden & webhooks.find_named_fields(webhook)):
		rights.check(document.doctype, field)
	for field in hidden:
		document.set(field, None)
