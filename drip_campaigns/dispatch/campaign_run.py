"""What one campaign's emails have in common in a run: its plan, its texts, its senders; and the making of one email."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

import frappe
from frappe import _
from jinja2 import TemplateError

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import Plan
from drip_campaigns.core.schedule.confirmation import QUESTIONS, ConfirmationTimes
from drip_campaigns.core.tracking.links import LinkRules
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.exit_rules.find_exits import ExitRules
from drip_campaigns.outbox.email_rows import OutgoingEmail, drip_email_name
from drip_campaigns.people.addresses import hash_address, to_ascii
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.check_flow import find_missing_fields
from drip_campaigns.plans.enrollment_state import waits_for_confirmation
from drip_campaigns.plans.planner import Planner
from drip_campaigns.rendering.confirmation_mail import load_question
from drip_campaigns.rendering.headers import Headers
from drip_campaigns.rendering.link_targets import store_targets
from drip_campaigns.rendering.link_tracker import Tracker
from drip_campaigns.rendering.links import Links
from drip_campaigns.rendering.message import MessageEnvelope, compose
from drip_campaigns.rendering.render_email import (
	NO_RULES,
	CompiledStep,
	EmailFrame,
	StepText,
	compile_step,
	fill,
	load_step_text,
)
from drip_campaigns.rendering.reply_addresses import Mailboxes
from drip_campaigns.rendering.senders import Sender, Senders
from drip_campaigns.rendering.step_versions import DOCTYPE as VERSION
from drip_campaigns.rendering.step_versions import Version, make_version
from drip_campaigns.rendering.threads import Threads
from drip_campaigns.rendering.tracking_modes import TrackingModes, find_utm
from drip_campaigns.rendering.variants import Variants
from drip_campaigns.site.languages import find_language, use_language
from drip_campaigns.site.settings import confirmation_times


class StepTextError(DripError):
	"""A step's text cannot be used for anybody."""


class CampaignRun:
	"""What one campaign's emails have in common, worked out once per run."""

	def __init__(self, campaign, postal_address: str, max_attempts: int) -> None:
		self.campaign = campaign
		self.postal_address = postal_address
		self.max_attempts = max_attempts
		self.plan: Plan = make_plan(campaign)
		self.rows = {row.name: row for row in campaign.steps}
		self._check_conditions()
		self.subjects = step_subjects(campaign)
		self.planner = Planner(self.plan, self.subjects)
		self.site_url = frappe.utils.get_url()
		self.senders, self.links, self.mailboxes = Senders(), Links(), Mailboxes()
		self.headers = Headers(campaign, self.site_url)
		self.tracking = TrackingModes(campaign)
		self.rules = ExitRules(campaign)
		self.variants = Variants(campaign)
		self.threads = Threads(self.plan, self.rows)
		self._compiled: dict[tuple[str, str, str], CompiledStep] = {}
		self._versions: dict[tuple[str, str, str], Version] = {}
		self._links_of_steps: dict[str, LinkRules] = {}

	def _check_conditions(self) -> None:
		"""Raise StepTextError if a field is gone that the campaign asks for: nobody is sent the wrong way for it."""
		gone = next(find_missing_fields(self.plan), None) if self.plan.has_flow else None
		if gone:
			raise StepTextError(f"{self._label(gone.step)}: {gone.sentence}")

	@cached_property
	def confirmation_times(self) -> ConfirmationTimes:
		"""How long a confirmation is waited for."""
		return confirmation_times()

	def compiled(self, step: str, language: str, variant: str = "") -> CompiledStep:
		"""Return the templates of a step or a question, compiled once per run, variant and language of a recipient.

		Raise StepTextError if nobody can be sent them.
		"""
		key = step, self._language(language), variant
		if key not in self._compiled:
			try:
				self._compiled[key] = self._compile(*key)
			except (TemplateError, frappe.DoesNotExistError) as error:
				frappe.clear_last_message()
				raise StepTextError(
					_("{0} has a text that cannot be used: {1}. Correct it and resume the campaign.").format(
						self._label(step), f"{type(error).__name__}: {error}"
					)
				) from error
		return self._compiled[key]

	@staticmethod
	def _language(language: str) -> str:
		return find_language(language) or frappe.local.lang

	def _compile(self, step: str, language: str, variant: str) -> CompiledStep:
		if step in QUESTIONS:
			with use_language(language):
				text = load_question(self.campaign, step)
				self._note_version((step, language, variant), text)
				return compile_step(text)
		has_view_link = bool(self.campaign.has_browser_link)
		text = load_step_text(self.variants.row_of(self.rows[step], variant))
		self._note_version((step, language, variant), text)
		return compile_step(
			text,
			language,
			has_view_link=has_view_link,
			has_leave_link=not self.campaign.omit_unsubscribe_link,
			links=self._link_rules(step),
		)

	def _note_version(self, key: tuple[str, str, str], text: StepText) -> None:
		step, _language, variant = key
		template = self._template_of(step, variant)
		self._versions[key] = make_version(self.campaign.name, step, text, template)

	def has_served(self, steps: Collection[str | None]) -> bool:
		"""Say whether the text of each of `steps`, as it stands now, has been filled for somebody: then it is no fault of it."""
		made: dict[str | None, set[str]] = {step: set() for step in steps}
		for (step, *_which), version in self._versions.items():
			if step in made:
				made[step].add(version.name)
		# A version is stored with the first email that has its text.
		return all(frappe.db.exists(VERSION, {"name": ["in", sorted(names)]}) for names in made.values())

	def _template_of(self, step: str, variant: str) -> str | None:
		if step in QUESTIONS:
			return self.campaign.confirmation_template or None
		return self.variants.row_of(self.rows[step], variant).email_template or None

	def _sender_name(self, sender: Sender, step: str, variant: str) -> str:
		own = self.variants.row_of(self.rows[step], variant).get("sender_name") if variant else None
		return own or sender.name

	def _link_rules(self, step: str) -> LinkRules:
		if step not in self._links_of_steps:
			utm = find_utm(self.campaign, self.rows[step])
			self._links_of_steps[step] = LinkRules(step, self.tracking.any, utm, self.links.root)
		return self._links_of_steps[step]

	def store_targets(self, now: datetime) -> None:
		"""Write down where the links of the steps lead that were used in this run."""
		for (step, *_rest), compiled in self._compiled.items():
			store_targets(compiled.targets, self.campaign, step, now)

	def _label(self, step: str) -> str:
		row = self.rows.get(step)
		return _("Step {0}").format(row.idx) if row else _("The email that asks for a confirmation")

	def make_mail(
		self, row: frappe._dict, step: str, planned_at: datetime, recipient: Recipient, now: datetime
	) -> OutgoingEmail:
		"""Render one email; raises what the template or the address raises."""
		sender = self.senders.find(row.sender or self.campaign.sender or row.owner)
		variant = self.variants.of(row.name, step)
		compiled = self.compiled(step, recipient.language, variant)
		sender_name = self._sender_name(sender, step, variant)
		frame = self._frame(row.name, step, sender_name, recipient.email, compiled)
		rendered = fill(compiled, recipient, frame)
		envelope = self._envelope(drip_email_name(row.name, step), sender, frame, recipient)
		thread = self.threads.of(row.name, step)
		if thread:
			rendered = replace(rendered, subject=thread.subject)
			envelope = replace(envelope, references=thread.references)
		message = compose(envelope, rendered, now, self.headers.make(sender, step))
		is_question = step in QUESTIONS
		mode = TrackingMode.NONE if is_question else self.tracking.of(recipient)
		return OutgoingEmail(
			row,
			step,
			planned_at,
			envelope,
			rendered,
			message,
			sender.email_account,
			self._template_of(step, variant),
			mode.value,
			self._versions[step, self._language(recipient.language), variant],
			None if is_question or self.campaign.is_transactional else hash_address(recipient.email),
			variant or None,
			thread.root if thread else None,
		)

	def _envelope(
		self, drip_email: str, sender: Sender, frame: EmailFrame, recipient: Recipient
	) -> MessageEnvelope:
		address = to_ascii(sender.address)
		return MessageEnvelope(
			from_name=frame.sender_name,
			from_address=address,
			reply_to=self.mailboxes.reply_to(sender.email_account, drip_email, to_ascii(sender.reply_to)),
			to_name=recipient.full_name,
			to_address=to_ascii(recipient.email),
			message_id=f"{frappe.generate_hash(length=20)}@{address.rpartition('@')[2]}",
			unsubscribe_url=frame.unsubscribe_url,
			site_url=self.site_url,
			unsubscribe_mailto=self.headers.mailto(sender, frame.unsubscribe_url.rpartition("/")[2]),
		)

	def _frame(
		self, enrollment: str, step: str, sender_name: str, address: str, compiled: CompiledStep
	) -> EmailFrame:
		view_url = self.links.view(drip_email_name(enrollment, step)) if compiled.has_view_link else ""
		return EmailFrame(
			self.links.leave(enrollment),
			self.links.preferences(enrollment, address),
			self.campaign.campaign_name,
			sender_name,
			self.postal_address,
			view_url=view_url,
			confirm_url=self.links.confirm(enrollment) if step in QUESTIONS else "",
			tracker=self._tracker(enrollment, step),
		)

	def _tracker(self, enrollment: str, step: str) -> Tracker:
		rules = NO_RULES if step in QUESTIONS else self._link_rules(step)
		return self.links.tracker(drip_email_name(enrollment, step) if rules.counts else "", rules.utm)


def explain(error: Exception, row: Mapping[str, Any], run: CampaignRun) -> str:
	"""Return the sentence that stands on the enrollment: which step, what happened."""
	what = f"{type(error).__name__}: {error}"[:1000]
	if waits_for_confirmation(row):
		return _("The email that asks for a confirmation: {0}").format(what)
	subject = run.subjects.get(row["next_step"]) or row["next_step"] or ""
	return _("Step {0}: {1}").format(f"“{subject}”", what)
