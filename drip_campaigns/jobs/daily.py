"""The daily job: statuses and end dates made true, then whatever is due. Safe to run at any time and any number of times."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import frappe

from drip_campaigns.campaign.auto_pause import pause_campaign
from drip_campaigns.campaign.lifecycle import start_scheduled
from drip_campaigns.campaign.owners import pause_abandoned
from drip_campaigns.campaign.replan import replan_in_batches
from drip_campaigns.core.errors import InvalidPlanError
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.enrollment import address_change, sign_up
from drip_campaigns.exit_rules.apply import exit_in_pages
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.jobs.dispatch_due import dispatch, run_isolated
from drip_campaigns.jobs.repair import repair
from drip_campaigns.outbox import breaker_hints
from drip_campaigns.people import consent_records
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.settings import consent_proof_retention, sign_up_retention
from drip_campaigns.triggers import firing_rows

FORMER_KEPT = timedelta(days=400)  # how long the links of a deleted enrollment still work
FIRINGS_ARE_KEPT = timedelta(days=90)


def run_daily() -> None:
	"""What the scheduler calls once a day."""
	run(utc_now())


def run(now: datetime, *, enqueue_delivery: bool = True) -> int:
	"""Start what is to start, keep end dates true, complete what is finished, send what is due; return how many emails."""
	for campaign, piece in _pieces(now):
		run_isolated(piece, campaign)
		frappe.db.commit()
	return dispatch(now, enqueue_delivery=enqueue_delivery)


def _pieces(now: datetime) -> Iterator[tuple[str, Callable[[], object]]]:
	"""Yield what is done once a day beside sending, and for which campaign; none of it waits for what another could not do."""
	yield "", lambda: pause_abandoned(now)
	yield "", lambda: start_scheduled(now)
	running = {"status": ["in", ["Active", "Paused"]]}
	for name in frappe.get_all("Drip Campaign", filters=running, pluck="name"):
		yield name, lambda name=name: _replan_or_hold(name, now)
		yield name, lambda name=name: _ask_rules_or_hold(name, now)
	yield "", lambda: bulk_enrollment.continue_waiting(now)
	yield "", lambda: _clear_firings(now)
	yield (
		"",
		lambda: breaker_hints.add_hints(
			frappe.get_all("Drip Campaign", filters={"status": "Active"}, pluck="name")
		),
	)
	yield "", lambda: repair(now)
	yield "", lambda: address_change.delete_expired(now)
	yield "", lambda: sign_up.delete_unconfirmed(now, sign_up_retention())
	yield "", lambda: consent_records.delete_old_proofs(now, consent_proof_retention())
	yield (
		"",
		lambda: frappe.db.delete("Drip Former Enrollment", {"creation": ["<", to_site(now) - FORMER_KEPT]}),
	)


def _clear_firings(now: datetime) -> None:
	while firing_rows.clear_settled(to_site(now - FIRINGS_ARE_KEPT)):
		frappe.db.commit()


def replan_campaign(campaign: str) -> None:
	"""Bring a campaign's enrollments in line with its schedule: a background job after it, or its Holiday List, was saved."""
	_replan_or_hold(campaign, utc_now())


def _replan_or_hold(name: str, now: datetime) -> None:
	"""Replan a campaign; one whose schedule nobody can follow is held, and the others go on."""
	campaign = frappe.get_doc("Drip Campaign", name)
	_go_through_or_hold(campaign, replan_in_batches(campaign, now), now)


def _ask_rules_or_hold(name: str, now: datetime) -> None:
	"""Let those leave whom the campaign's rules name; one whose rules cannot be asked is held, and the others go on."""
	campaign = frappe.get_doc("Drip Campaign", name)
	_go_through_or_hold(campaign, exit_in_pages(campaign, now), now)


def _go_through_or_hold(campaign, batches: Iterator[int], now: datetime) -> None:
	try:
		for _count in batches:
			frappe.db.commit()
	except InvalidPlanError as error:
		frappe.db.rollback()
		if campaign.status == CampaignStatus.ACTIVE.value:
			pause_campaign(campaign, str(error), now)
		frappe.db.commit()
