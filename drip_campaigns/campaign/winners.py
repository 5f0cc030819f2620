"""Compare the variants of a step, and choose the winner when it is due or when a user chooses. Nothing here commits."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Min, Sum
from frappe.utils import cint

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.variants import Criterion, NoWinnerFallback, VariantCount, compare_variants
from drip_campaigns.core.model import CampaignStatus, EmailStatus, EventType, ExitReason
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.rendering.step_text import load_step_text
from drip_campaigns.rendering.variants import OWN, TEST, Variants
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.messages import add_note

TIME_TO_READ = timedelta(days=1)


def choose_due_winners(now: datetime) -> int:
	"""Choose the due winners of active campaigns; return their number. Without variants this is one query."""
	row, campaign = frappe.qb.DocType("Drip Step Variant"), frappe.qb.DocType("Drip Campaign")
	query = frappe.qb.from_(row).inner_join(campaign).on(campaign.name == row.parent).select(row.parent)
	names = query.distinct().where(campaign.status == CampaignStatus.ACTIVE.value).run(pluck=True)
	return sum(_decide_campaign(frappe.get_doc("Drip Campaign", name), now) for name in names)


def _decide_campaign(campaign, now: datetime) -> int:
	decided = set(frappe.get_all(TEST, filters={"campaign": campaign.name}, pluck="name"))
	count = 0
	for step, rows in Variants(campaign).steps().items():
		own = rows[OWN]
		if step in decided or not own.winner_by:
			continue
		figures = _count(own, list(rows), Criterion(own.winner_by))
		if _is_due(own, list(rows), figures, now):
			_decide(campaign, own, figures, now)
			count += 1
	return count


def _is_due(step, letters: list[str], figures: dict, now: datetime) -> bool:
	"""Return whether the winner is due. Without hours, emails of the last day are not in the sample."""
	hours, sample = cint(step.winner_after_hours), max(cint(step.winner_sample), 1)
	if figures["begun"] is None or now < figures["begun"] + timedelta(hours=hours):
		return False
	sent = sum(trial.sent for trial in figures["trials"])
	return sent >= sample and (hours > 0 or _count_sent_before(now - TIME_TO_READ, step, letters) >= sample)


def _count_sent_before(moment: datetime, step, letters: list[str]) -> int:
	filters = {"campaign": step.parent, "step": step.name, "status": EmailStatus.SENT.value}
	return frappe.db.count(
		"Drip Email", {**filters, "variant": ["in", letters], "queued_at": ["<=", to_site(moment)]}
	)


def _decide(campaign, step, figures: dict, now: datetime) -> None:
	trials = figures["trials"]
	comparison = compare_variants(
		trials, NoWinnerFallback(step.no_winner_fallback or NoWinnerFallback.VARIANT_A.value)
	)
	shares = ", ".join(f"{trial.variant} {trial.rate:.1%} ({trial.hits}/{trial.sent})" for trial in trials)
	sentence = (
		_("{0} wins by {1} (p {2}): {3}.")
		if comparison.is_significant
		else _("No significant difference in {1} (p {2}): {3}. The rest get {0}.")
	)
	explanation = sentence.format(
		comparison.variant, _(step.winner_by), _format_p_value(comparison.p_value), shares
	)
	_record_winner(
		campaign, step, comparison.variant, step.winner_by, explanation, now, comparison.is_significant
	)


def _format_p_value(p_value: float) -> str:
	return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"


def choose_by_hand(campaign, step: str, variant: str, now: datetime) -> None:
	"""Send the variant that a user chose to everyone else; an empty one continues the test."""
	rows = Variants(campaign).steps().get(step)
	if not rows or (variant and variant not in rows):
		raise DripError(_("This step has no variant {0}. Reload the form.").format(variant))
	frappe.db.delete(TEST, {"name": step})
	if variant:
		user = frappe.session.user
		_record_winner(
			campaign, rows[OWN], variant, user, _("{0} was chosen by {1}.").format(variant, user), now
		)


def _record_winner(
	campaign, step, variant: str, by: str, explanation: str, now: datetime, significant: bool = False
) -> None:
	document = frappe.get_doc(
		doctype=TEST,
		campaign=campaign.name,
		step=step.name,
		step_label=step.label,
		variant=variant,
		is_significant=int(significant),
		decided_by=by,
		decided_at=to_site(now),
		explanation=explanation,
	)
	# Named after the step, so that only one of two parallel dispatches decides.
	# nosemgrep: ignore-permissions - a result of the app, which no role may create
	document.insert(ignore_permissions=True, set_name=step.name, ignore_if_duplicate=True)
	add_note(campaign, _("Step {0}: {1}"), step.idx, explanation)


def list_figures(campaign) -> Iterator[dict[str, Any]]:
	"""Yield each step with variants: what was sent, the results, and the decision."""
	tests = {
		row.name: row
		for row in frappe.get_all(
			TEST,
			filters={"campaign": campaign.name},
			fields=["name", "variant", "explanation", "is_significant"],
		)
	}
	for step, rows in Variants(campaign).steps().items():
		own, test = rows[OWN], tests.get(step)
		criterion = _criterion_of(campaign, own)
		trials = _count(own, list(rows), criterion)["trials"]
		yield {
			"step": step,
			"label": own.label,
			"criterion": criterion.value,
			"variants": [_describe_variant(trial, rows[trial.variant]) for trial in trials],
			"winner": test.variant if test else None,
			"explanation": test.explanation if test else None,
			"is_significant": bool(test and test.is_significant),
		}


def _criterion_of(campaign, step) -> Criterion:
	"""Return the criterion of a step's comparison; by default the best one that is recorded of people."""
	if step.winner_by:
		return Criterion(step.winner_by)
	knows_who_opens = campaign.tracking_mode == TrackingMode.INDIVIDUAL.value
	return Criterion.OPENS if knows_who_opens else Criterion.REPLIES


def _describe_variant(trial: VariantCount, row) -> dict[str, Any]:
	low, high = trial.interval
	return {
		"variant": trial.variant,
		"subject": load_step_text(row).subject,
		"sent": trial.sent,
		"hits": trial.hits,
		"rate": trial.rate,
		"low": low,
		"high": high,
	}


def _count(step, letters: list[str], criterion: Criterion) -> dict[str, Any]:
	"""Count each variant's sent emails and its successes by a criterion, in one query."""
	email = frappe.qb.DocType("Drip Email")
	hit = _is_success(email, step.parent, criterion)
	rows = (
		frappe.qb.from_(email)
		.select(email.variant, Count(email.name), Sum(Case().when(hit, 1).else_(0)), Min(email.queued_at))
		.where((email.campaign == step.parent) & (email.step == step.name))
		.where((email.status == EmailStatus.SENT.value) & email.variant.isin(letters))
		.groupby(email.variant)
		.run()
	)
	found = {letter: VariantCount(letter, int(sent), int(hits or 0)) for letter, sent, hits, _begun in rows}
	begun = min((row[3] for row in rows), default=None)
	trials = [found.get(letter, VariantCount(letter, 0, 0)) for letter in letters]
	return {"trials": trials, "begun": from_site(begun)}


def _is_success(email, campaign: str, criterion: Criterion):
	"""Return the condition that an email succeeded by the criterion."""
	if criterion is Criterion.OPENS:
		return (email.human_opens > 0) | (email.human_clicks > 0)  # who clicks has read it
	if criterion is Criterion.CLICKS:
		return email.human_clicks > 0
	if criterion is Criterion.REPLIES:
		event = frappe.qb.DocType("Drip Event")
		replied = frappe.qb.from_(event).select(event.drip_email)
		replied = replied.where((event.event_type == EventType.REPLIED.value) & event.drip_email.isnotnull())
		return email.name.isin(replied.where(event.campaign == campaign))
	enrollment = frappe.qb.DocType("Drip Enrollment")
	reached = frappe.qb.from_(enrollment).select(enrollment.name)
	is_goal = (enrollment.campaign == campaign) & (enrollment.exit_reason == ExitReason.GOAL.value)
	return email.enrollment.isin(reached.where(is_goal))
