"""Late is kept late, also when it was the mail server, a limit or a brake that kept an email waiting in the queue.

While an email is overdue in the queue, the enrollment's next step waits (`batch.py`); when it has left, the steps after
it are counted from that moment. Otherwise all that fell due during an outage would arrive on one morning.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import frappe

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import Plan, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_rows import load_handled_steps, lock_live_enrollments, update_enrollments
from drip_campaigns.plans.enrollment_state import (
	plan_fields,
	position_fields,
	read_position,
	waits_for_confirmation,
)
from drip_campaigns.site.clock import from_site, to_site

ON_TIME = timedelta(minutes=15)  # what a dispatch and its delivery may take


def is_late(mail: Mapping[str, Any], now: datetime) -> bool:
	"""Tell whether an email with this `queued_at` has waited in the queue for so long that the next must wait for it."""
	return bool(mail.get("queued_at")) and now - from_site(mail["queued_at"]) > ON_TIME


def reschedule_late(left: Sequence[frappe._dict], given_up: Sequence[frappe._dict], now: datetime) -> None:
	"""Plan anew for those whose email `left` late at `now`, and for those who waited for one that was `given_up`.

	Three statements for all of them, and none when nothing was late. Does not commit.
	"""
	departed = {mail.enrollment: mail.step for mail in left if is_late(mail, now)}
	waited = [mail.enrollment for mail in given_up if is_late(mail, now)]
	names = sorted({*departed, *waited})
	if not names:
		return
	by_campaign: dict[str, list[frappe._dict]] = defaultdict(list)
	for row in lock_live_enrollments(names):
		by_campaign[row.campaign].append(row)
	dealt_with = load_handled_steps(names)
	states: list[dict[str, Any]] = []
	for campaign, rows in by_campaign.items():
		try:
			states += _replan_all(campaign, rows, dealt_with, departed, now)
		except (DripError, frappe.DoesNotExistError):
			# What has left must be written down, whatever became of its campaign: the dispatch finds that, and holds it.
			frappe.clear_last_message()
	update_enrollments(states, to_site(now))


def _replan_all(
	campaign: str, rows: Sequence[frappe._dict], dealt_with: Mapping, departed: Mapping, now: datetime
) -> list[dict[str, Any]]:
	document = frappe.get_cached_doc("Drip Campaign", campaign)
	plan, subjects = make_plan(document), step_subjects(document)
	return [
		_replanned(row, plan, subjects, dealt_with[row.name], departed.get(row.name), now)
		for row in rows
		# Where it was the question that was late, the schedule has not begun.
		if not waits_for_confirmation(row)
	]


def _replanned(
	row: frappe._dict, plan: Plan, subjects: Mapping, steps: Mapping, departed: str | None, now: datetime
) -> dict[str, Any]:
	position = read_position(row, steps)
	if departed:
		position = due_steps.shift_late(plan, position, departed, now)
	future = plan_fields(plan, position, subjects, now)
	if row.status == Status.PAUSED.value:
		future["next_send_at"] = None
	elif row.last_error and row.next_send_at and future["next_send_at"]:  # a retry keeps its delay
		future["next_send_at"] = max(row.next_send_at, future["next_send_at"])
	return {**row, **position_fields(position), **future}
