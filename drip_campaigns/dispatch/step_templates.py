"""The texts of one campaign in a run: compiled once for each step, variant and language, and the version of each."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from jinja2 import TemplateError

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.schedule.confirmation import QUESTIONS
from drip_campaigns.core.tracking.links import LinkRules
from drip_campaigns.rendering.compile_step import CompiledStep, compile_step
from drip_campaigns.rendering.confirmation_mail import load_question
from drip_campaigns.rendering.link_targets import store_targets
from drip_campaigns.rendering.step_text import StepText, load_step_text
from drip_campaigns.rendering.step_versions import DOCTYPE as VERSION
from drip_campaigns.rendering.step_versions import Version, make_version
from drip_campaigns.rendering.templates import describe_error
from drip_campaigns.rendering.variants import Variants
from drip_campaigns.site.languages import find_language, use_language

Key = tuple[str, str, str]  # step, language, variant


class StepTextError(DripError):
	"""The text of a step cannot be used for any recipient."""


class StepTemplates:
	"""Compiles the texts of a campaign's steps and of its confirmation emails, each once per run."""

	def __init__(
		self, campaign, rows: Mapping[str, Any], find_link_rules: Callable[[str], LinkRules]
	) -> None:
		self.campaign, self.rows = campaign, rows
		self.variants = Variants(campaign)
		self._find_link_rules = find_link_rules
		self._compiled: dict[Key, CompiledStep] = {}
		self._versions: dict[Key, Version] = {}

	def compile(self, step: str, language: str, variant: str) -> CompiledStep:
		"""Return the templates of a step or a confirmation email for a recipient's language.

		Raise StepTextError if they cannot be used for any recipient.
		"""
		key = step, _find_used_language(language), variant
		if key not in self._compiled:
			try:
				self._compiled[key] = self._compile(*key)
			except (TemplateError, frappe.DoesNotExistError) as error:
				frappe.clear_last_message()
				message = _("{0} has a text that cannot be used: {1}. Correct it and resume the campaign.")
				cause = describe_error(error)
				raise StepTextError(message.format(self.label_of(step), cause)) from error
		return self._compiled[key]

	def version_of(self, step: str, language: str, variant: str) -> Version:
		"""Return the version of a text that `compile` has returned."""
		return self._versions[step, _find_used_language(language), variant]

	def row_of(self, step: str, variant: str):
		"""Return the row with the text of a step's variant; of a step without variants, its own row."""
		return self.variants.row_of(self.rows[step], variant)

	def template_of(self, step: str, variant: str) -> str | None:
		"""Return the name of the Email Template that a text is from, or None."""
		if step in QUESTIONS:
			return self.campaign.confirmation_template or None
		return self.row_of(step, variant).email_template or None

	def label_of(self, step: str) -> str:
		"""Return how a message names a step or a confirmation email."""
		row = self.rows.get(step)
		return _("Step {0}").format(row.idx) if row else _("The email that asks for a confirmation")

	def were_sent(self, steps: Collection[str | None]) -> bool:
		"""Say whether each of `steps` was sent to a recipient with its present text: then the text is not the fault."""
		names: dict[str | None, set[str]] = {step: set() for step in steps}
		for (step, *_rest), version in self._versions.items():
			if step in names:
				names[step].add(version.name)
		# A version is stored with the first email that has its text.
		return all(frappe.db.exists(VERSION, {"name": ["in", sorted(own)]}) for own in names.values())

	def store_targets(self, now: datetime) -> None:
		"""Store where the links lead of the texts that were used in this run."""
		for (step, *_rest), compiled in self._compiled.items():
			store_targets(compiled.targets, self.campaign, step, now)

	def _compile(self, step: str, language: str, variant: str) -> CompiledStep:
		if step in QUESTIONS:
			with use_language(language):
				text = load_question(self.campaign, step)
				self._add_version((step, language, variant), text)
				return compile_step(text)
		text = load_step_text(self.row_of(step, variant))
		self._add_version((step, language, variant), text)
		return compile_step(
			text,
			language,
			has_view_link=bool(self.campaign.has_browser_link),
			has_unsubscribe_link=not self.campaign.omit_unsubscribe_link,
			links=self._find_link_rules(step),
		)

	def _add_version(self, key: Key, text: StepText) -> None:
		step, _language, variant = key
		template = self.template_of(step, variant)
		self._versions[key] = make_version(self.campaign.name, step, text, template)


def _find_used_language(language: str) -> str:
	return find_language(language) or frappe.local.lang
