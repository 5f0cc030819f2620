"""Enroll an audience from the command line: the same run as in Desk, in this process, with lines of text as its result."""

from frappe import _

from drip_campaigns.enrollment.preview import preview_audience
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.people.audience import Audience
from drip_campaigns.people.recipient_types import get_type
from drip_campaigns.site.clock import utc_now


def enroll_audience(
	campaign: str,
	recipient_type: str,
	*,
	filters: str,
	start_date: str | None,
	per_day: int,
	everybody: bool,
	dry_run: bool,
) -> list[str]:
	"""Enroll an audience, or preview it; return the lines to print.

	`everybody` confirms filters that match every record. Raises the error that makes the whole run impossible.
	"""
	get_type(recipient_type)
	if dry_run:
		return _describe_preview(preview_audience(campaign, recipient_type, filters, utc_now()))
	run = bulk_enrollment.insert_run(
		campaign,
		recipient_type,
		start_date,
		recipient_filters=filters,
		per_day=per_day,
		confirmed_count=Audience(recipient_type, filters).count() if everybody else 0,
	)
	bulk_enrollment.run(run.name)
	run.reload()
	return _describe_run(run)


def _describe_preview(figures: dict) -> list[str]:
	lines = [
		_("{0} records match, {1} were checked.").format(figures["total"], figures["looked_at"]),
		_("{0} would be enrolled, {1} would resume where they stopped.").format(
			figures["enrolled"], figures["resumed"]
		),
	]
	return lines + [f"{row['count']} × {row['reason']}" for row in figures["refused"]]


def _describe_run(run) -> list[str]:
	lines = [
		_("Run {0}: {1}.").format(run.name, _(run.status)),
		_("{0} of {1} records checked, {2} enrolled, {3} skipped.").format(
			run.processed, run.total, run.enrolled, run.refused
		),
	]
	return lines + [text for text in (run.reasons, run.error) if text]
