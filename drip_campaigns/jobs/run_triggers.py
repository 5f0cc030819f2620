"""Work off the firings that are due: find the people, ask the filters, enroll, note what became of it.

A batch is one transaction, with the rights of the campaign's owner. Commits after each, which makes this an entry
point like the runner; called by a job after the event's commit, and by every dispatch, so that a lost job loses nobody.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.goals import GOAL
from drip_campaigns.core.flow.triggers import FiringStatus
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.exit_rules.apply import exit_at_goal
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.error_log import log_failure
from drip_campaigns.triggers import firing_rows
from drip_campaigns.triggers.dates import fire_dates
from drip_campaigns.triggers.find_people import Person, find_people, keep_matching
from drip_campaigns.triggers.loop_guard import find_looping
from drip_campaigns.triggers.trigger_cache import DATES, find_watching, is_running, load_rows

BATCH_SIZE = 500
RACE_ATTEMPTS = 3
TRY_AGAIN_AFTER = timedelta(hours=1)
MOST_ATTEMPTS = 72  # three days
Outcomes = dict[str, str]


def run_job() -> None:
	"""Work off what is due now: a background job after events were committed."""
	run(utc_now())


def run(now: datetime) -> int:
	"""Work off every firing that is due at `now` and return how many; one that cannot be is tried again in an hour."""
	user, total = frappe.session.user, 0
	try:
		_look_at_dates(now)
		for trigger in firing_rows.find_due_triggers(to_site(now)):
			while count := _work_off(trigger, now):
				total += count
	finally:
		frappe.set_user(user)
	return total


def _look_at_dates(now: datetime) -> None:
	"""Let the dates fire that have come; a trigger whose dates cannot be read is no reason to keep others waiting."""
	frappe.db.commit()
	for trigger in find_watching(DATES):
		try:
			for _count in fire_dates(trigger, now):
				frappe.db.commit()
		except Exception:  # noqa: BLE001 - logged, and looked at again by the next dispatch
			frappe.db.rollback()
			log_failure(_("The dates of a trigger of campaign {0} cannot be read").format(trigger.parent))
			frappe.db.commit()


def _work_off(trigger: str, now: datetime) -> int:
	"""Work off one batch of a trigger; if it fails, one by one, so that only the cause of it stays behind."""
	try:
		return _try_batch(trigger, BATCH_SIZE, now)
	except Exception:  # noqa: BLE001 - narrowed down to the one firing that cannot be worked off
		frappe.db.rollback()
	done = 0
	while done < BATCH_SIZE and _work_off_one(trigger, now):
		done += 1
	return done


def _work_off_one(trigger: str, now: datetime) -> int:
	try:
		return _try_batch(trigger, 1, now)
	except Exception as error:  # noqa: BLE001 - recorded on the firing, which is tried again later
		frappe.db.rollback()
		_put_off(trigger, error, now)
		return 1


def _try_batch(trigger: str, limit: int, now: datetime) -> int:
	"""Work off one batch in one transaction; again, if somebody else enrolled one of its people meanwhile."""
	for attempt in range(RACE_ATTEMPTS):
		try:
			return _claim_and_enroll(trigger, limit, now)
		except Exception as error:
			frappe.db.rollback()
			is_race = isinstance(error, frappe.QueryDeadlockError | frappe.QueryTimeoutError)
			if attempt + 1 == RACE_ATTEMPTS or not (is_race or frappe.db.is_unique_key_violation(error)):
				raise
	return 0


def _claim_and_enroll(name: str, limit: int, now: datetime) -> int:
	# The claim opens the transaction: what is read after it is not older than the locks it holds.
	frappe.db.commit()
	rows = firing_rows.claim_due(name, to_site(now), limit)
	trigger = _load(name) if rows else None
	if trigger and trigger.kind == GOAL:
		exit_at_goal(trigger.parent, trigger.recipient_type, [row.record for row in rows], now)
		looked_at = {row.name: _("Looked at: who has reached the goal has left") for row in rows}
		firing_rows.settle(looked_at, FiringStatus.DONE, to_site(now))
	elif trigger and not _may_enroll(trigger.owner):
		why = _("{0}, who owns the campaign, may not enroll. Give back the right, or the campaign.")
		firing_rows.put_off(rows, why.format(trigger.owner), to_site(now + TRY_AGAIN_AFTER))
	elif trigger:
		firing_rows.settle(_enroll(trigger, rows, now), FiringStatus.DONE, to_site(now))
	elif rows:
		gone = _("The trigger or its campaign does not run any more")
		firing_rows.settle({row.name: gone for row in rows}, FiringStatus.DONE, to_site(now))
	frappe.db.commit()
	return len(rows)


def _load(name: str) -> frappe._dict | None:
	rows = load_rows(trigger=name)
	return rows[0] if rows and is_running(rows[0]) else None


def _may_enroll(user: str) -> bool:
	is_enabled = frappe.db.get_value("User", user, "enabled")
	return bool(is_enabled and frappe.has_permission("Drip Enrollment", "create", user=user))


def _enroll(trigger: frappe._dict, rows: Sequence[frappe._dict], now: datetime) -> Outcomes:
	"""Enroll whom the firings lead to, with the rights of the campaign's owner; return what became of each firing."""
	frappe.set_user(trigger.owner)
	people = find_people(trigger, rows)
	matching = keep_matching(trigger, people)
	wanted = set(matching.values())
	stopped = find_looping(trigger, wanted, now)
	reasons = stopped | _enroll_people(trigger, wanted - stopped.keys(), now)
	return {row.name: _describe(row.name, people, matching, reasons) for row in rows}


def _enroll_people(trigger: frappe._dict, people: set[Person], now: datetime) -> dict[Person, str]:
	"""Enroll each person once, by type and list; return why some were refused."""
	reasons = {}
	for kind, target_list in sorted({(p.recipient_type, p.target_list) for p in people}, key=str):
		names = [p.recipient for p in people if (p.recipient_type, p.target_list) == (kind, target_list)]
		for result in enroll_many(trigger.parent, kind, sorted(names), now, target_list=target_list):
			reasons |= {
				Person(kind, record, target_list): refusal.reason for record, refusal in result.refusals.items()
			}
	return reasons


def _describe(name: str, people: dict, matching: dict, reasons: dict[Person, str]) -> str:
	if name not in people:
		return _("It leads to nobody who can be enrolled")
	if name not in matching:
		return _("Does not match the filters")
	return reasons.get(matching[name], _("Enrolled"))


def _put_off(trigger: str, error: Exception, now: datetime) -> None:
	"""Note on the first due firing why it could not be worked off; try it again in an hour, for three days."""
	text = str(error) if isinstance(error, DripError) else f"{type(error).__name__}: {error}"
	for row in firing_rows.claim_due(trigger, to_site(now), 1):
		if row.attempts + 1 >= MOST_ATTEMPTS:
			firing_rows.settle({row.name: text}, FiringStatus.FAILED, to_site(now))
		else:
			firing_rows.put_off([row], text, to_site(now + TRY_AGAIN_AFTER), attempts=1)
	frappe.db.commit()
