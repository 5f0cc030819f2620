"""The daily job: correct statuses and end dates, delete what is old, then send what is due. It may run at any time, any number of times."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

import frappe

from drip_campaigns.campaign.auto_pause import pause_if_active
from drip_campaigns.campaign.lifecycle import start_scheduled
from drip_campaigns.campaign.owners import pause_abandoned
from drip_campaigns.campaign.replan import replan_in_batches
from drip_campaigns.core.errors import InvalidPlanError
from drip_campaigns.db.bulk_writes import delete_rows
from drip_campaigns.enrollment import address_change, sign_up
from drip_campaigns.exit_rules.apply import exit_in_pages
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.jobs.batches import commit_each, run_isolated, run_transaction
from drip_campaigns.jobs.dispatch_due import dispatch
from drip_campaigns.jobs.repair import repair
from drip_campaigns.outbox import breaker_hints
from drip_campaigns.people import consent_records
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.settings import consent_proof_retention, sign_up_retention
from drip_campaigns.stats.counters import keep_totals_without
from drip_campaigns.triggers import firing_rows

EVENTS_BATCH = 5000
FORMER_KEPT = timedelta(days=400)  # how long the links of a deleted enrollment work
FIRINGS_KEPT = timedelta(days=90)


def run_daily() -> None:
	"""Run the daily job: the scheduler calls it."""
	run(utc_now())


def run(now: datetime, *, enqueue_delivery: bool = True) -> int:
	"""Start scheduled campaigns, correct end dates and statuses, and send what is due; return how many emails were queued."""
	for campaign, piece in _pieces(now):
		run_isolated(piece, campaign)
		frappe.db.commit()
	return dispatch(now, enqueue_delivery=enqueue_delivery)


def _pieces(now: datetime) -> Iterator[tuple[str, Callable[[], object]]]:
	"""Yield what runs once a day beside sending, with the campaign that it is about. Each piece runs even if others fail."""
	yield "", partial(pause_abandoned, now)
	yield "", partial(start_scheduled, now)
	running = {"status": ["in", ["Active", "Paused"]]}
	for name in frappe.get_all("Drip Campaign", filters=running, pluck="name"):
		yield name, partial(_run_or_pause, name, replan_in_batches, now)
		yield name, partial(_run_or_pause, name, exit_in_pages, now)
	yield "", partial(bulk_enrollment.continue_waiting, now)
	yield "", partial(_clear_firings, now)
	yield "", _check_all_campaigns
	yield "", partial(repair, now)
	yield "", partial(address_change.delete_expired, now)
	yield "", partial(sign_up.delete_unconfirmed, now, sign_up_retention())
	yield "", partial(consent_records.delete_old_proofs, now, consent_proof_retention())
	yield "", partial(_delete_former_enrollments, now)


def _clear_firings(now: datetime) -> None:
	commit_each(iter(partial(firing_rows.clear_settled, to_site(now - FIRINGS_KEPT)), 0))


def _check_all_campaigns() -> None:
	"""Have the circuit breaker check every active campaign, in case Redis lost its hints."""
	breaker_hints.add_hints(frappe.get_all("Drip Campaign", filters={"status": "Active"}, pluck="name"))


def _delete_former_enrollments(now: datetime) -> None:
	frappe.db.delete("Drip Former Enrollment", {"creation": ["<", to_site(now) - FORMER_KEPT]})


def replan_campaign(campaign: str) -> None:
	"""Adapt a campaign's enrollments to its schedule: a background job after it, or its Holiday List, was saved."""
	_run_or_pause(campaign, replan_in_batches, utc_now())


def _run_or_pause(name: str, work: Callable[..., Iterator[int]], now: datetime) -> None:
	"""Run batches of work on a campaign; pause the campaign if its schedule or its rules cannot be used."""
	try:
		commit_each(work(frappe.get_doc("Drip Campaign", name), now))
	except InvalidPlanError as error:
		frappe.db.rollback()
		run_transaction(partial(pause_if_active, name, str(error), now))


def clear_events(days: int) -> int:
	"""Delete events that are older than `days`, and return how many. Their counts stay. Commits after each batch.

	Frappe's Log Settings call it with the number of days that they say.
	"""
	before, total = to_site(utc_now() - timedelta(days=days)), 0
	while count := run_transaction(partial(_clear_events_before, before)):
		total += count
	return total


def _clear_events_before(before: datetime) -> int:
	filters = {"occurred_at": ["<", before]}
	names = frappe.get_all(
		"Drip Event", filters=filters, pluck="name", order_by="occurred_at", limit=EVENTS_BATCH
	)
	keep_totals_without("name", names)
	delete_rows("Drip Event", names)
	return len(names)
