"""The cost of a target list: fill one with a trigger, refresh it unchanged, and enroll all its members."""

import json
from dataclasses import dataclass
from datetime import datetime

import frappe

from benchmarks import load, setup
from benchmarks.measure import seconds_of
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.jobs import refresh_lists
from drip_campaigns.lists import refreshes
from drip_campaigns.site.clock import utc_now
from drip_campaigns.triggers.backfill import ExistingAudience
from tests import factories

PAGE_SIZE = 1000


@dataclass(frozen=True)
class ListFigures:
	"""Seconds to fill, refresh, and enroll the list."""

	fill_seconds: float
	refresh_seconds: float
	enroll_seconds: float


def measure(people: int, now: datetime) -> ListFigures:
	"""Fill a list with `people` Contacts, each of whom fires a trigger, refresh it, and enroll it in the campaign of the trigger."""
	setup.clear()
	target_list = factories.make_list("Drip Bench", sources=[_source()])
	campaign = setup.make_campaign(load.steps(1), now, target_lists=[{"target_list": target_list.name}])
	_refresh(target_list.name, 0)  # the first refresh after a change of its sources fires no trigger
	setup.make_people(people)
	fill_seconds = seconds_of(lambda: _refresh(target_list.name, people))
	if frappe.db.count("Drip Trigger Firing", {"campaign": campaign.name}) != people:
		raise AssertionError("not every new member has fired")
	refresh_seconds = seconds_of(lambda: _refresh(target_list.name, 0))
	frappe.db.truncate("Drip Trigger Firing")  # enrolling is measured on its own
	enroll_seconds = seconds_of(lambda: _enroll(campaign, people, now))
	return ListFigures(fill_seconds, refresh_seconds, enroll_seconds)


def _source() -> dict:
	filters = json.dumps([["email_id", "like", f"%@{factories.DOMAIN}"]])
	return {"kind": "Filters", "recipient_type": "Contact", "filters": filters}


def _refresh(target_list: str, joined: int) -> None:
	name = refresh_lists.start(target_list, utc_now())
	frappe.db.commit()
	refresh_lists.run(name)
	run = frappe.get_doc(refreshes.DOCTYPE, name)
	if (run.status, run.joined, run.dropped_out) != ("Completed", joined, 0):
		raise AssertionError(f"{run.status}, {run.joined} joined, {run.dropped_out} dropped out: {run.error}")


def _enroll(campaign, people: int, now: datetime) -> None:
	audience = ExistingAudience(campaign.name, campaign.target_lists[0].name, "Contact")
	enrolled = 0
	for names in audience.pages(PAGE_SIZE):
		for result in enroll_many(campaign.name, "Contact", names, now, target_list=audience.target_list):
			enrolled += result.enrolled
		frappe.db.commit()
	if enrolled != people:
		raise AssertionError(f"{enrolled} of {people} were enrolled")
