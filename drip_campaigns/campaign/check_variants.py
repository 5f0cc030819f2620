"""Check the variants of steps before a campaign is saved, and assign their letters."""

from collections.abc import Iterator
from string import ascii_uppercase

import frappe
from frappe import _
from frappe.utils import cint

from drip_campaigns.campaign.check_texts import find_enrolled_types, find_row_problems
from drip_campaigns.core.flow.variants import Criterion
from drip_campaigns.core.model import StepType
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.rendering.text_rights import rights_of

NEEDS_TRACKING = (Criterion.OPENS.value, Criterion.CLICKS.value)


def prepare_variants(campaign) -> None:
	"""Assign a letter to each new variant. A used letter is not assigned again, so that its results stay separate."""
	labels = {row.label: row.name for row in campaign.steps if row.label}
	for row in campaign.variants:
		if row.variant:
			continue
		used = {other.variant for other in campaign.variants if other.step_label == row.step_label}
		used |= _letters_sent(labels.get(row.step_label))
		row.variant = next((letter for letter in ascii_uppercase[1:] if letter not in used), "")


def find_variant_problems(campaign) -> Iterator[str]:
	"""Yield each problem that prevents saving the variants of a Drip Campaign document."""
	steps = {row.label: row for row in campaign.steps if row.label}
	enrolled = find_enrolled_types(campaign)
	for row in campaign.variants:
		label = _("Variant {0} of {1}").format(row.variant or row.idx, row.step_label)
		step = steps.get(row.step_label)
		if step is None or (step.step_type or StepType.SEND.value) != StepType.SEND.value:
			yield _("{0}: no email step has this label. Use the label of an email step.").format(label)
			continue
		if not row.variant:
			yield _("{0}: there are too many variants. Delete some.").format(label)
		if cint(row.weight) <= 0:
			yield _("{0}: the weight is {1}. Enter 1 or more, or delete the variant.").format(
				label, row.weight
			)
		yield from find_row_problems(
			label, row, rights_of(campaign, row), enrolled=enrolled, is_draft=bool(step.is_draft)
		)
	for label in {row.step_label for row in campaign.variants} & steps.keys():
		yield from _find_test_problems(campaign, steps[label])


def _find_test_problems(campaign, step) -> Iterator[str]:
	label = _("Step {0}").format(step.idx)
	if cint(step.control_weight) <= 0:
		yield _("{0}: the weight of its own text is {1}. Enter 1 or more.").format(label, step.control_weight)
	if not step.winner_by:
		return
	if not cint(step.winner_after_hours) and not cint(step.winner_sample):
		yield _("{0}: enter when to choose the winner: after a number of hours, or at a sample size.").format(
			label
		)
	if step.winner_by in NEEDS_TRACKING and campaign.tracking_mode != TrackingMode.INDIVIDUAL.value:
		yield _(
			"{0}: this campaign does not record who opens and clicks (Tracking Mode: {2}), so {1} cannot choose a winner. Choose Individual, or another criterion."
		).format(label, _(step.winner_by), _(campaign.tracking_mode or TrackingMode.NONE.value))


def _letters_sent(step: str | None) -> set[str]:
	if not step:
		return set()
	filters = {"step": step, "variant": ["is", "set"]}
	return set(frappe.get_all("Drip Email", filters=filters, pluck="variant", distinct=True))
