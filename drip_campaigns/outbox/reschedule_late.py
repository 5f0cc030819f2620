"""Reschedule the steps after an email that a mail server, a limit, or a block delayed in the queue.

While an email is overdue in the queue, the enrollment's next step waits. After it is sent, the next steps are counted
from that moment. Otherwise all emails that became due during an outage would arrive on one morning.
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
	"""Return True if an email with this `queued_at` has been in the queue for so long that the next must wait for it."""
	return bool(mail.get("queued_at")) and now - from_site(mail["queued_at"]) > ON_TIME


def reschedule_late(sent: Sequence[frappe._dict], given_up: Sequence[frappe._dict], now: datetime) -> None:
	"""Replan enrollments whose email was `sent` late at `now`, and those that waited for one that was `given_up`.

	Three statements for all of them, and none if no email was late. Does not commit.
	"""
	sent_late = {mail.enrollment: mail.step for mail in sent if is_late(mail, now)}
	waited = [mail.enrollment for mail in given_up if is_late(mail, now)]
	names = sorted({*sent_late, *waited})
	if not names:
		return
	by_campaign: dict[str, list[frappe._dict]] = defaultdict(list)
	for row in lock_live_enrollments(names):
		by_campaign[row.campaign].append(row)
	handled = load_handled_steps(names)
	states: list[dict[str, Any]] = []
	for campaign, rows in by_campaign.items():
		try:
			states += _replan_all(campaign, rows, handled, sent_late, now)
		except (DripError, frappe.DoesNotExistError):
			# The outcome must be recorded even if the campaign is broken: the dispatch finds that, and pauses the campaign.
			frappe.clear_last_message()
	update_enrollments(states, to_site(now))


def _replan_all(
	campaign: str, rows: Sequence[frappe._dict], handled: Mapping, sent_late: Mapping, now: datetime
) -> list[dict[str, Any]]:
	document = frappe.get_cached_doc("Drip Campaign", campaign)
	plan, subjects = make_plan(document), step_subjects(document)
	return [
		_replanned(row, plan, subjects, handled[row.name], sent_late.get(row.name), now)
		for row in rows
		# If the confirmation email was late, the schedule has not begun.
		if not waits_for_confirmation(row)
	]


def _replanned(
	row: frappe._dict, plan: Plan, subjects: Mapping, steps: Mapping, sent_late: str | None, now: datetime
) -> dict[str, Any]:
	position = read_position(row, steps)
	if sent_late:
		position = due_steps.shift_late(plan, position, sent_late, now)
	future = plan_fields(plan, position, subjects, now)
	if row.status == Status.PAUSED.value:
		future["next_send_at"] = None
	elif row.last_error and row.next_send_at and future["next_send_at"]:  # a retry keeps its delay
		future["next_send_at"] = max(row.next_send_at, future["next_send_at"])
	return {**row, **position_fields(position), **future}
