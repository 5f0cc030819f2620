"""Preview a step as a recipient would get it, or send it as a test email that is not counted."""

from dataclasses import replace
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.threads import reply_subject
from drip_campaigns.core.model import StepType
from drip_campaigns.core.tracking.links import LinkRules
from drip_campaigns.core.tracking.tokens import Purpose
from drip_campaigns.people.addresses import to_ascii
from drip_campaigns.people.recipients import Recipient, load_recipients
from drip_campaigns.rendering.compile_step import compile_step
from drip_campaigns.rendering.links import Links
from drip_campaigns.rendering.message import MessageEnvelope, compose
from drip_campaigns.rendering.render_email import EmailFrame, RenderedEmail, render_email
from drip_campaigns.rendering.sender_rights import require_sender
from drip_campaigns.rendering.senders import Sender, Senders
from drip_campaigns.rendering.step_text import load_step_text
from drip_campaigns.rendering.templates import describe_error
from drip_campaigns.rendering.text_rights import rights_to_preview
from drip_campaigns.rendering.tracking_modes import find_utm
from drip_campaigns.site.public_address import public_url
from drip_campaigns.site.settings import postal_address

TEST_HEADER = "X-Drip-Test"


class PreviewError(DripError):
	"""The step cannot be previewed."""


def render_step(campaign, step: str, recipient_type: str | None, recipient: str | None) -> dict[str, str]:
	"""Return subject, html and text of a step for one record, or for a sample person if no record is given."""
	sender = Senders().find(campaign.sender or frappe.session.user)
	rendered = _render(campaign, step, _recipient(recipient_type, recipient), sender)
	return {"subject": rendered.subject, "html": rendered.html, "text": rendered.text}


def send_test(
	campaign, step: str, email_address: str, recipient_type: str | None, recipient: str | None, now: datetime
) -> None:
	"""Queue a step as a test to `email_address`: no Drip Email, no Communication, no Event, and a link that unsubscribes nobody.

	It is from the campaign's sender, in whose name the session's user must be allowed to send (SenderRightError).
	"""
	require_sender(frappe.session.user, campaign.sender)
	sender = Senders().find(campaign.sender or frappe.session.user)
	rendered = _render(campaign, step, _recipient(recipient_type, recipient), sender)
	marked = RenderedEmail(
		subject=f"[{_('Test')}] {rendered.subject}", html=rendered.html, text=rendered.text, content=""
	)
	message_id = f"{frappe.generate_hash(length=20)}@{to_ascii(sender.address).rpartition('@')[2]}"
	envelope = MessageEnvelope(
		from_name=sender.name,
		from_address=to_ascii(sender.address),
		reply_to=to_ascii(sender.reply_to),
		to_name="",
		to_address=to_ascii(email_address),
		message_id=message_id,
		unsubscribe_url="",
		site_url=public_url(),
	)
	_queue(campaign, envelope, compose(envelope, marked, now, {TEST_HEADER: "1"}), sender.email_account)


def _queue(campaign, envelope: MessageEnvelope, message: str, email_account: str | None) -> None:
	"""Add a message to Frappe's Email Queue, and send it immediately."""
	queue = frappe.new_doc("Email Queue")
	queue.update(
		{
			"sender": envelope.from_address,
			"message": message,
			"message_id": envelope.message_id,
			"status": "Not Sent",
			"reference_doctype": "Drip Campaign",
			"reference_name": campaign.name,
			"add_unsubscribe_link": 0,
			"email_account": email_account,
			"recipients": [{"recipient": envelope.to_address, "status": "Not Sent"}],
		}
	)
	# nosemgrep: ignore-permissions - nobody has a right to the Email Queue; send_test checks the campaign's
	queue.insert(ignore_permissions=True)
	frappe.enqueue(
		"drip_campaigns.jobs.send_test_email.send",
		queue_name=queue.name,
		queue="short",
		enqueue_after_commit=True,
	)


def _render(campaign, step: str, recipient: Recipient, sender: Sender) -> RenderedEmail:
	variant = next((row for row in campaign.get("variants") or [] if row.name == step), None)
	own = next((row for row in campaign.steps if variant and row.label == variant.step_label), None)
	row = own or next((row for row in campaign.steps if row.name == step), None)
	if row is None:
		raise PreviewError(
			_("Campaign {0} does not have this step. Save the form and try again.").format(campaign.name)
		)
	links = Links()
	rules = LinkRules(row.name, utm=find_utm(campaign, row), own_root=links.root)
	frame = EmailFrame(
		links.preview(),
		links.preview(Purpose.PREFERENCES),
		campaign.campaign_name,
		sender.name,
		postal_address(),
		view_url=links.preview(Purpose.VIEW),
		tracker=links.tracker("", rules.utm),
		rights=rights_to_preview(campaign),
	)
	try:
		compiled = compile_step(
			load_step_text(variant or row),
			has_view_link=bool(campaign.has_browser_link),
			has_unsubscribe_link=not campaign.omit_unsubscribe_link,
			links=rules,
		)
		rendered = render_email(compiled, recipient, frame)
	except Exception as error:
		raise PreviewError(
			_("Step {0} cannot be rendered for {1}: {2}. Correct its text.").format(
				row.idx, recipient.full_name or recipient.name, describe_error(error)
			)
		) from error
	first = _find_first(campaign, row)
	if first is None:
		return rendered
	return replace(rendered, subject=reply_subject(_render(campaign, first.name, recipient, sender).subject))


def _find_first(campaign, row):
	"""Return the step that starts the thread of `row` for a person who gets every email; None if `row` starts one."""
	before = [
		step
		for step in campaign.steps[: row.idx - 1]
		if step.enabled
		and not step.is_draft
		and (step.step_type or StepType.SEND.value) == StepType.SEND.value
	]
	if not row.in_thread or not before:
		return None
	return next((step for step in reversed(before) if not step.in_thread), before[0])


def _recipient(recipient_type: str | None, recipient: str | None) -> Recipient:
	if not (recipient_type and recipient):
		return make_sample_recipient()
	found = load_recipients(recipient_type, [recipient]).get(recipient)
	if found is None:
		raise PreviewError(
			_("{0} {1} does not exist. Choose another one.").format(_(recipient_type), recipient)
		)
	return found


def make_sample_recipient() -> Recipient:
	"""Return a person with a value in each field, so that a preview shows every field."""
	meta = frappe.get_meta("Contact")
	fields = dict.fromkeys(meta.get_valid_columns())
	known = {
		"first_name": "Maria",
		"last_name": "Musterfrau",
		"full_name": "Maria Musterfrau",
		"email_id": "maria@example.com",
		"company_name": "Example Ltd",
	}
	return Recipient(
		doctype="Contact",
		name="",
		email=known["email_id"],
		first_name=known["first_name"],
		last_name=known["last_name"],
		full_name=known["full_name"],
		company=known["company_name"],
		fields={**fields, **known},
	)
