"""The rows of actions: find what is due, claim a batch, record its results. Nothing here commits."""

from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe.query_builder.functions import Count

from drip_campaigns.actions.queue import DOCTYPE
from drip_campaigns.actions.registry import ACTION_KINDS
from drip_campaigns.core.flow.actions import ActionStatus
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.db.bulk_writes import set_each

FIELDS = (
	*("name", "campaign", "enrollment", "step", "action", "recipient_type", "recipient", "email_address"),
	*("status", "attempts", "waits"),
)


def find_due_campaigns(site_now: datetime) -> list[str]:
	"""Return the campaigns that are not paused and have an action due, by an index alone."""
	action, campaign = frappe.qb.DocType(DOCTYPE), frappe.qb.DocType("Drip Campaign")
	return (
		frappe.qb.from_(action)
		.inner_join(campaign)
		.on(campaign.name == action.campaign)
		.select(action.campaign)
		.distinct()
		.where((action.status == ActionStatus.WAITING.value) & (action.due_at <= site_now))
		.where(campaign.status.isin([CampaignStatus.ACTIVE.value, CampaignStatus.ENDED.value]))
		.run(pluck=True)
	)


def claim_due(campaign: str, site_now: datetime, limit: int, *, webhooks: bool) -> list[frappe._dict]:
	"""Lock and return up to `limit` due actions of a campaign, either those that call out or the others; skip locked ones."""
	action = frappe.qb.DocType(DOCTYPE)
	is_webhook = action.action.isin(ACTION_KINDS.labels_with("calls_out"))
	return (
		frappe.qb.from_(action)
		.select(*(action[field] for field in FIELDS))
		.where((action.campaign == campaign) & (action.status == ActionStatus.WAITING.value))
		.where((action.due_at <= site_now) & (is_webhook if webhooks else is_webhook.negate()))
		.orderby(action.due_at)
		.limit(limit)
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)


def lock(name: str, status: ActionStatus) -> bool:
	"""Lock one action and say whether it still has this status."""
	action = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(action).select(action.name).for_update()
	return bool(query.where((action.name == name) & (action.status == status.value)).run())


def find_silent(before: datetime) -> list[frappe._dict]:
	"""Lock and return the Webhooks whose call began before a moment and was never settled: their worker stopped."""
	action = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(action).select(*(action[field] for field in FIELDS)).for_update(skip_locked=True)
	return query.where((action.status == ActionStatus.RUNNING.value) & (action.modified < before)).run(
		as_dict=True
	)


def settle(rows: Sequence[tuple], site_now: datetime) -> None:
	"""Record the results of actions that the caller has locked: (name, status, outcome, DocType and name of the new record)."""
	columns = ("name", "modified", "done_at", "status", "outcome", "reference_doctype", "reference_name")
	values = [(name, site_now, site_now, status.value, *rest) for name, status, *rest in rows]
	set_each(DOCTYPE, columns, values)


def put_off(rows: Sequence[tuple[str, int, datetime, str]], site_now: datetime) -> None:
	"""Defer actions: (name, attempts, due at, reason)."""
	columns = ("name", "modified", "status", "attempts", "due_at", "outcome")
	waiting = ActionStatus.WAITING.value
	set_each(DOCTYPE, columns, [(name, site_now, waiting, *rest) for name, *rest in rows])


def count_assigned(step: str) -> dict[str, int]:
	"""Return how often each user had a turn in a step that assigns ToDos or notifies users."""
	action, todo = frappe.qb.DocType(DOCTYPE), frappe.qb.DocType("ToDo")
	log = frappe.qb.DocType("Notification Log")
	counts: dict[str, int] = {}
	for made, user in ((todo, todo.allocated_to), (log, log.for_user)):
		rows = (
			frappe.qb.from_(action)
			.inner_join(made)
			.on(made.name == action.reference_name)
			.select(user, Count(action.name))
			.where(action.step == step)
			.groupby(user)
			.run()
		)
		for name, number in rows:
			counts[name] = counts.get(name, 0) + number
	return counts
