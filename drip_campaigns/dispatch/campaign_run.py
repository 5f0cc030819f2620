"""What one campaign's batches have in common in a run: its plan, its exit rules, and the composer of its emails."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from frappe import _

from drip_campaigns.core.model import Plan
from drip_campaigns.core.schedule.confirmation import ConfirmationTimes
from drip_campaigns.dispatch.email_composer import EmailComposer
from drip_campaigns.dispatch.step_templates import StepTextError
from drip_campaigns.exit_rules.find_exits import ExitRules
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.check_flow import find_missing_fields
from drip_campaigns.plans.enrollment_state import waits_for_confirmation
from drip_campaigns.plans.planner import Planner
from drip_campaigns.rendering.templates import describe_error
from drip_campaigns.site.settings import confirmation_times


class CampaignRun:
	"""One campaign in a run, read once. Raises StepTextError if a condition names a field that is gone."""

	def __init__(self, campaign, postal_address: str, max_attempts: int) -> None:
		self.campaign = campaign
		self.max_attempts = max_attempts
		self.plan: Plan = make_plan(campaign)
		self.rows = {row.name: row for row in campaign.steps}
		self.subjects = step_subjects(campaign)
		self.planner = Planner(self.plan, self.subjects)
		self.rules = ExitRules(campaign)
		self.composer = EmailComposer(campaign, self.plan, self.rows, postal_address)
		self._check_conditions()

	@cached_property
	def confirmation_times(self) -> ConfirmationTimes:
		"""When a confirmation is asked for again, and when it expires."""
		return confirmation_times()

	def store_targets(self, now: datetime) -> None:
		"""Store where the links lead of the texts that were used in this run."""
		self.composer.templates.store_targets(now)

	def _check_conditions(self) -> None:
		"""Raise StepTextError if a condition's field is gone: it would send people the wrong way."""
		gone = next(find_missing_fields(self.plan), None) if self.plan.has_flow else None
		if gone:
			raise StepTextError(f"{self.composer.templates.label_of(gone.step)}: {gone.sentence}")


def explain(error: Exception, row: Mapping[str, Any], run: CampaignRun) -> str:
	"""Return an error as the sentence shown on the enrollment: which step, and what happened."""
	what = describe_error(error)[:1000]
	if waits_for_confirmation(row):
		return _("The email that asks for a confirmation: {0}").format(what)
	subject = run.subjects.get(row["next_step"]) or row["next_step"] or ""
	return _("Step {0}: {1}").format(f"“{subject}”", what)
