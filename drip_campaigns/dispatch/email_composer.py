"""Composes one email of a campaign: its text, sender, links, tracking and thread."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.core.model import Plan
from drip_campaigns.core.schedule.confirmation import QUESTIONS
from drip_campaigns.core.tracking.links import LinkRules
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.dispatch.step_templates import StepTemplates
from drip_campaigns.outbox.email_rows import OutgoingEmail, drip_email_name
from drip_campaigns.people.addresses import hash_address, to_ascii
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.rendering.compile_step import NO_RULES, CompiledStep
from drip_campaigns.rendering.headers import Headers
from drip_campaigns.rendering.link_tracker import Tracker
from drip_campaigns.rendering.links import Links
from drip_campaigns.rendering.message import MessageEnvelope, compose
from drip_campaigns.rendering.render_email import EmailFrame, render_email
from drip_campaigns.rendering.reply_addresses import Mailboxes
from drip_campaigns.rendering.senders import Sender, Senders
from drip_campaigns.rendering.threads import Threads
from drip_campaigns.rendering.tracking_modes import TrackingModes, find_utm
from drip_campaigns.site.public_address import public_url


class EmailComposer:
	"""What the emails of one campaign have in common, read once per run; and the making of one email."""

	def __init__(self, campaign, plan: Plan, rows: Mapping[str, Any], postal_address: str) -> None:
		self.campaign, self.postal_address = campaign, postal_address
		self.templates = StepTemplates(campaign, rows, self._find_link_rules)
		self._rows = rows
		self._site_url = public_url()
		self._senders, self._links, self._mailboxes = Senders(), Links(), Mailboxes()
		self._headers = Headers(campaign, self._site_url)
		self._tracking = TrackingModes(campaign)
		self._threads = Threads(plan, rows)
		self._link_rules: dict[str, LinkRules] = {}
		self.rights = FieldRights(campaign.owner)

	def begin_batch(self, enrollments: Sequence[str]) -> None:
		"""Prepare for the emails of these enrollments: their threads are read when the first step needs them."""
		self._threads.begin(enrollments)

	def compose(
		self, row: frappe._dict, step: str, planned_at: datetime, recipient: Recipient, now: datetime
	) -> OutgoingEmail:
		"""Return the email of a step to an enrollment's recipient; raise what its template or its address raises."""
		is_question = step in QUESTIONS
		if is_question:
			recipient = recipient.without_typed_texts()
		sender = self._senders.find(row.sender or self.campaign.sender or row.owner)
		variant = self.templates.variants.of(row.name, step)
		compiled = self.templates.compile(step, recipient.language, variant)
		frame = self._make_frame(
			row.name, step, self._name_sender(sender, step, variant), recipient, compiled
		)
		rendered = render_email(compiled, recipient, frame)
		envelope = self._make_envelope(drip_email_name(row.name, step), sender, frame, recipient)
		thread = self._threads.of(row.name, step, recipient.email)
		if thread:
			rendered = replace(rendered, subject=thread.subject)
			envelope = replace(envelope, references=thread.references)
		mode = TrackingMode.NONE if is_question else self._tracking.of(recipient)
		return OutgoingEmail(
			row,
			step,
			planned_at,
			envelope,
			rendered,
			compose(envelope, rendered, now, self._headers.make(sender, step)),
			sender.email_account,
			self.templates.template_of(step, variant),
			mode.value,
			self.templates.version_of(step, recipient.language, variant),
			None if is_question or self.campaign.is_transactional else hash_address(recipient.email),
			variant or None,
			thread.root if thread else None,
		)

	def _name_sender(self, sender: Sender, step: str, variant: str) -> str:
		own = self.templates.row_of(step, variant).get("sender_name") if variant else None
		return own or sender.name

	def _make_envelope(
		self, drip_email: str, sender: Sender, frame: EmailFrame, recipient: Recipient
	) -> MessageEnvelope:
		address = to_ascii(sender.address)
		return MessageEnvelope(
			from_name=frame.sender_name,
			from_address=address,
			reply_to=self._mailboxes.reply_to(sender.email_account, drip_email, to_ascii(sender.reply_to)),
			to_name=recipient.full_name,
			to_address=to_ascii(recipient.email),
			message_id=f"{frappe.generate_hash(length=20)}@{address.rpartition('@')[2]}",
			unsubscribe_url=frame.unsubscribe_url,
			site_url=self._site_url,
			unsubscribe_mailto=self._headers.mailto(sender, frame.unsubscribe_url.rpartition("/")[2]),
		)

	def _make_frame(
		self, enrollment: str, step: str, sender_name: str, recipient: Recipient, compiled: CompiledStep
	) -> EmailFrame:
		view_url = self._links.view(drip_email_name(enrollment, step)) if compiled.has_view_link else ""
		return EmailFrame(
			self._links.unsubscribe(enrollment),
			self._links.preferences(enrollment, recipient.email),
			self.campaign.campaign_name,
			sender_name,
			self.postal_address,
			view_url=view_url,
			confirm_url=self._links.confirm(enrollment) if step in QUESTIONS else "",
			tracker=self._make_tracker(enrollment, step),
			rights=self.rights,
		)

	def _make_tracker(self, enrollment: str, step: str) -> Tracker:
		rules = NO_RULES if step in QUESTIONS else self._find_link_rules(step)
		return self._links.tracker(drip_email_name(enrollment, step) if rules.counts else "", rules.utm)

	def _find_link_rules(self, step: str) -> LinkRules:
		if step not in self._link_rules:
			utm = find_utm(self.campaign, self._rows[step])
			self._link_rules[step] = LinkRules(step, self._tracking.any, utm, self._links.root)
		return self._link_rules[step]
