"""Process the trigger firings that are due: find the people, apply the filters, enroll, and record the result.

A batch runs with the rights of the campaign's owner. A background job runs after the event's commit, and every dispatch
runs again, so that a lost job loses nobody.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.goals import GOAL
from drip_campaigns.core.flow.triggers import FiringStatus
from drip_campaigns.enrollment.campaign_checks import takes_no_one_new
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.exit_rules.apply import exit_at_goal
from drip_campaigns.jobs.batches import TRIGGERS, BatchJob, commit_each, run_batches, run_isolated
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.triggers import firing_rows
from drip_campaigns.triggers.dates import fire_dates
from drip_campaigns.triggers.find_people import Person, find_people, keep_matching
from drip_campaigns.triggers.kind import DATES
from drip_campaigns.triggers.loop_guard import find_looping
from drip_campaigns.triggers.trigger_cache import find_watching, is_running, load_rows

RETRY_AFTER = timedelta(hours=1)
MOST_ATTEMPTS = 72  # three days
Outcomes = dict[FiringStatus, dict[str, str]]  # the outcome of each firing, by status and name


def run_job() -> None:
	"""Process what is due now: a background job after events were committed."""
	run(utc_now())


def run(now: datetime) -> int:
	"""Process every firing that is due at `now` and return how many; a firing that fails is retried in an hour."""
	user, total = frappe.session.user, 0
	try:
		for trigger in find_watching(DATES):
			run_isolated(partial(commit_each, fire_dates(trigger, now)), trigger.parent)
		frappe.db.commit()
		for trigger in firing_rows.find_due_triggers(to_site(now)):
			total += run_batches(TriggerBatch(trigger, now))[0]
	finally:
		frappe.set_user(user)
	return total


class TriggerBatch(BatchJob):
	"""The due firings of one trigger."""

	policy = TRIGGERS
	size = 500

	def __init__(self, trigger: str, now: datetime) -> None:
		self.trigger, self.now, self.site_now = trigger, now, to_site(now)

	def claim(self, limit: int) -> list[frappe._dict]:
		"""Lock and return due firings."""
		return firing_rows.claim_due(self.trigger, self.site_now, limit)

	def do(self, rows: Sequence[frappe._dict]) -> int:
		"""Enroll the people that the firings lead to, or end those at their goal; return the number of firings."""
		trigger = _load(self.trigger)
		if trigger and trigger.kind != GOAL and not _may_enroll(trigger.owner):
			why = _("{0} owns the campaign but may not enroll. Restore the right, or assign another owner.")
			retry_at = to_site(self.now + RETRY_AFTER)
			firing_rows.put_off(rows, why.format(trigger.owner), retry_at)
		else:
			replaced = firing_rows.find_replaced(rows)
			gone = dict.fromkeys(replaced, _("The record was deleted, and another one has its name"))
			firing_rows.settle(gone, FiringStatus.DONE, self.site_now)
			for status, outcomes in self._process(
				trigger, [row for row in rows if row.name not in replaced]
			).items():
				firing_rows.settle(outcomes, status, self.site_now)
		return len(rows)

	def put_off(self, row: frappe._dict, error: Exception) -> None:
		"""Record on a firing why it failed; retry it in an hour, for three days."""
		text = str(error) if isinstance(error, DripError) else f"{type(error).__name__}: {error}"
		if row.attempts + 1 >= MOST_ATTEMPTS:
			firing_rows.settle({row.name: text}, FiringStatus.FAILED, self.site_now)
		else:
			firing_rows.put_off([row], text, to_site(self.now + RETRY_AFTER), attempts=1)

	def _process(self, trigger: frappe._dict | None, rows: Sequence[frappe._dict]) -> Outcomes:
		if trigger is None:
			outcome = _("The trigger or its campaign no longer runs")
			return {FiringStatus.DONE: dict.fromkeys([row.name for row in rows], outcome)}
		if trigger.kind == GOAL:
			exit_at_goal(trigger.parent, trigger.recipient_type, [row.record for row in rows], self.now)
			outcome = _("Ended the enrollments that reached the goal")
			return {FiringStatus.DONE: dict.fromkeys([row.name for row in rows], outcome)}
		return _enroll(trigger, rows, self.now)


def _load(name: str) -> frappe._dict | None:
	rows = load_rows(trigger=name)
	return rows[0] if rows and is_running(rows[0]) else None


def _may_enroll(user: str) -> bool:
	is_enabled = frappe.db.get_value("User", user, "enabled")
	return bool(is_enabled and frappe.has_permission("Drip Enrollment", "create", user=user))


def _enroll(trigger: frappe._dict, rows: Sequence[frappe._dict], now: datetime) -> Outcomes:
	"""Enroll the people of the firings, with the rights of the campaign's owner; return the outcome of each firing."""
	frappe.set_user(trigger.owner)
	people = find_people(trigger, rows)
	matching = keep_matching(trigger, people)
	unmatched = [row.name for row in rows if row.name not in matching]
	no_match = {FiringStatus.NO_MATCH: {name: _explain_no_match(name in people) for name in unmatched}}
	if takes_no_one_new(trigger):
		shut = _("The campaign is paused and takes no one new")
		return {FiringStatus.REFUSED: dict.fromkeys(matching, shut), **no_match}
	wanted = set(matching.values())
	stopped = find_looping(trigger, wanted, now)
	reasons = stopped | _enroll_people(trigger, wanted - stopped.keys(), now)
	done = {name: reasons.get(person, _("Enrolled")) for name, person in matching.items()}
	return {FiringStatus.DONE: done, **no_match}


def _enroll_people(trigger: frappe._dict, people: set[Person], now: datetime) -> dict[Person, str]:
	"""Enroll each person once, by type and list; return why people were refused."""
	reasons = {}
	for kind, target_list in sorted({(p.recipient_type, p.target_list) for p in people}, key=str):
		names = [p.recipient for p in people if (p.recipient_type, p.target_list) == (kind, target_list)]
		for result in enroll_many(trigger.parent, kind, sorted(names), now, target_list=target_list):
			reasons |= {
				Person(kind, record, target_list): refusal.reason
				for record, refusal in result.refusals.items()
			}
	return reasons


def _explain_no_match(has_record: bool) -> str:
	return _("Does not match the filters") if has_record else _("No record to enroll")
