"""Record the exit steps of a campaign: actions that run when an enrollment ends. A subscriber of the log."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import frappe

from drip_campaigns.actions.queue import ActionTask, record_actions
from drip_campaigns.core.flow.actions import RunWhen, is_exit_step_due
from drip_campaigns.core.model import CampaignStatus, CountedFrom, EventType, StepType
from drip_campaigns.db.dialect import select_in
from drip_campaigns.site.clock import from_site

ENDING = frozenset({EventType.EXITED.value, EventType.UNSUBSCRIBED.value})
Event = Mapping[str, object]  # the fields of a Drip Event


def record_exit_steps(events: Sequence[Event], site_now: datetime) -> None:
	"""Record the actions that a batch of Drip Events starts. If the campaigns have no exit steps, this costs one look-up.

	The enrollments ended in the same transaction. A campaign that ends runs no exit steps.
	"""
	left = {
		event["enrollment"]: event
		for event in events
		if event["event_type"] in ENDING and event.get("enrollment")
	}
	steps = _load_steps({event["campaign"] for event in left.values()}) if left else {}
	if not steps:
		return
	fields = ["name", "campaign", "recipient_type", "recipient", "email_address", "status", "exit_reason"]
	names = [name for name, event in left.items() if event["campaign"] in steps]
	now = from_site(site_now)
	record_actions(
		[
			task
			for row in select_in("Drip Enrollment", fields, "name", names)
			for task in _tasks(row, steps, now)
		],
		now,
	)


def _tasks(row: frappe._dict, steps: Mapping[str, list], now: datetime) -> list[ActionTask]:
	tasks, hours = [], 0
	for step in steps[row.campaign]:
		delay = (step.send_after_days or 0) * 24 + (step.send_after_hours or 0)
		hours = hours + delay if step.counted_from == CountedFrom.PREVIOUS_STEP else delay
		if step.enabled and is_exit_step_due(step.on_exit_reason, row.status, row.exit_reason):
			tasks.append(ActionTask(step, row, now + timedelta(hours=hours)))
	return tasks


def _load_steps(campaigns: set) -> dict[str, list]:
	"""Return the exit steps of the campaigns that have not ended, in their order, by campaign."""
	step, campaign = frappe.qb.DocType("Drip Campaign Step"), frappe.qb.DocType("Drip Campaign")
	rows = (
		frappe.qb.from_(step)
		.inner_join(campaign)
		.on(campaign.name == step.parent)
		.select(step.name, step.parent, step.enabled, step.action, step.on_exit_reason, step.wait_for_todo)
		.select(step.send_after_days, step.send_after_hours, step.counted_from)
		.where(step.parent.isin(sorted(campaigns)) & (step.step_type == StepType.ACTION.value))
		.where((step.run_when == RunWhen.ON_EXIT.value) & (step.is_draft == 0))
		.where(campaign.status.isin([CampaignStatus.ACTIVE.value, CampaignStatus.PAUSED.value]))
		.orderby(step.idx)
		.run(as_dict=True)
	)
	by_campaign: dict[str, list] = {}
	for row in rows:
		by_campaign.setdefault(row.parent, []).append(row)
	return by_campaign
