"""The triggers of the campaigns that run, by the DocType whose records fire them: one look-up for each saved document.

The table is kept in Redis, and in each process for as long as Redis says that it is the latest. Whoever changes a
campaign publishes a new one after the commit; every dispatch does so too, so nothing stays stale for long.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import frappe

from drip_campaigns.core.flow.goals import GOAL, GoalKind
from drip_campaigns.core.flow.triggers import DATE_KINDS, TriggerKind
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.site.row_names import new_name

VERSION_KEY, TABLE_KEY = "drip_campaigns:triggers:version", "drip_campaigns:triggers:table"
RUNNING = (CampaignStatus.ACTIVE.value, CampaignStatus.PAUSED.value)
FIELDS = (
	*("name", "parent", "kind", "recipient_type", "tag", "email_group", "target_list"),
	*(
		"field_name",
		"field_value",
		"days",
		"days_from",
		"repeat",
		"local_day",
		"purchase_document",
		"purchased",
		"purchased_name",
	),
	*("source_campaign", "link_url", "web_form", "email_account", "event_name", "filters"),
	*("delay_days", "delay_hours", "ignore_imports"),
)
# The DocType whose records fire a trigger; those of the others are of the recipient type.
WATCHED = {
	TriggerKind.TAG_ADDED: "Tag Link",
	TriggerKind.JOINED_EMAIL_GROUP: "Email Group Member",
	TriggerKind.JOINED_TARGET_LIST: "Drip Target List Member",
	TriggerKind.LINK_CLICKED: "Drip Event",
	TriggerKind.EMAIL_OPENED: "Drip Event",
	TriggerKind.CAMPAIGN_COMPLETED: "Drip Event",
	TriggerKind.EMAIL_RECEIVED: "Communication",
}
# Places in the table beside the DocTypes
API_CALLS, DATES, WEB_FORMS = "*api calls", "*dates", "*web forms"
KEPT_SECONDS = 24 * 3600


@dataclass
class Table:
	"""Rows of Drip Campaign Trigger by what fires them."""

	version: str
	by_doctype: dict[str, list[frappe._dict]] = field(default_factory=dict)


_tables: dict[str, Table] = {}  # of this process, by site: Redis says whether one is the latest


def find_watching(doctype: str) -> list[frappe._dict]:
	"""Return the triggers that records of `doctype` fire: one look-up in Redis, whose answer is nearly always the same."""
	return _latest().by_doctype.get(doctype, [])


def publish() -> None:
	"""Read the triggers of the running campaigns, and let every process know them."""
	version, rows = new_name(), load_rows()
	frappe.cache.set_value(TABLE_KEY, json.dumps([version, rows], default=str), expires_in_sec=KEPT_SECONDS)
	frappe.cache.set_value(VERSION_KEY, version, expires_in_sec=KEPT_SECONDS)


def publish_after_commit() -> None:
	"""Publish once what the present transaction has changed is there for all to see."""
	frappe.db.after_commit.add(publish)


def forget() -> None:
	"""Take the table out of Redis: the next look-up reads the database."""
	frappe.cache.delete_value([VERSION_KEY, TABLE_KEY])


def load_rows(*, trigger: str | None = None) -> list[frappe._dict]:
	"""Return the enabled triggers of running campaigns, or one trigger whatever its state, with `parent` and `owner`.

	The lists that a campaign includes are triggers too: who joins one is enrolled. So are the goals: who reaches one leaves.
	"""
	rows = [*_load_triggers(trigger), *_load_lists(trigger), *_load_goals(trigger)]
	return rows if trigger else [row for row in rows if is_running(row)]


def _load_triggers(trigger: str | None) -> list[frappe._dict]:
	row, campaign = frappe.qb.DocType("Drip Campaign Trigger"), frappe.qb.DocType("Drip Campaign")
	query = (
		frappe.qb.from_(row)
		.inner_join(campaign)
		.on(campaign.name == row.parent)
		.select(*(row[name] for name in FIELDS), row.enabled, campaign.owner, campaign.status)
		.orderby(campaign.creation, row.idx)
	)
	if trigger:
		return query.where(row.name == trigger).run(as_dict=True)
	query = query.where(campaign.closed_at.isnull())
	return query.where((row.enabled == 1) & campaign.status.isin(RUNNING)).run(as_dict=True)


def _load_lists(trigger: str | None) -> list[frappe._dict]:
	row, campaign = frappe.qb.DocType("Drip Campaign Target List"), frappe.qb.DocType("Drip Campaign")
	query = (
		frappe.qb.from_(row)
		.inner_join(campaign)
		.on(campaign.name == row.parent)
		.select(row.name, row.parent, row.target_list, row.enroll_joining.as_("enabled"))
		.select(campaign.owner, campaign.status)
		.orderby(campaign.creation, row.idx)
	)
	is_open = campaign.status.isin(RUNNING) & campaign.closed_at.isnull()
	query = query.where(row.name == trigger) if trigger else query.where(is_open)
	nothing = dict.fromkeys(FIELDS)
	joined = {"kind": TriggerKind.JOINED_TARGET_LIST.value, "delay_days": 0, "delay_hours": 0}
	return [frappe._dict({**nothing, **joined, **found}) for found in query.run(as_dict=True)]


def _load_goals(trigger: str | None) -> list[frappe._dict]:
	"""Return the goals of campaigns as rows: a record of `recipient_type` reaches one if it matches `filters`."""
	campaign = frappe.qb.DocType("Drip Campaign")
	query = (
		frappe.qb.from_(campaign)
		.select(campaign.name.as_("parent"), campaign.owner, campaign.status, campaign.goal)
		.select(campaign.goal_recipient_type, campaign.goal_document, campaign.goal_filters.as_("filters"))
		.where(campaign.goal.isin([kind.value for kind in GoalKind]))
		.orderby(campaign.creation)
	)
	nothing = dict.fromkeys(FIELDS)
	rows = []
	for found in query.where(campaign.status.isin(RUNNING)).run(as_dict=True):
		asked = found.goal_document if found.goal == GoalKind.DOCUMENT_MADE else found.goal_recipient_type
		known = {"name": goal_name(found.parent), "kind": GOAL, "recipient_type": asked, "enabled": 1}
		rows.append(frappe._dict({**nothing, **found, **known, "delay_days": 0, "delay_hours": 0}))
	return [row for row in rows if trigger in (None, row.name)]


def goal_name(campaign: str) -> str:
	"""Return what a firing of a campaign's goal refers to instead of a trigger."""
	return f"{GOAL}: {campaign}"


def is_running(trigger: frappe._dict) -> bool:
	"""Say whether a trigger as `load_rows` returns it is switched on, in a campaign that runs."""
	return bool(trigger.enabled) and trigger.status in RUNNING


def _latest() -> Table:
	known = _tables.get(frappe.local.site)
	version = frappe.cache.get_value(VERSION_KEY, expires=True)
	if known and version == known.version:
		return known
	if not version:
		publish()
	stored = frappe.cache.get_value(TABLE_KEY, expires=True)
	version, rows = json.loads(stored) if stored else ("", load_rows())  # without Redis, each time anew
	_tables[frappe.local.site] = table = _arrange(version, rows)
	return table


def _arrange(version: str, rows: list[dict[str, Any]]) -> Table:
	table = Table(version)
	for row in map(frappe._dict, rows):
		table.by_doctype.setdefault(_place(row), []).append(row)
	return table


def _place(row: frappe._dict) -> str:
	if row.kind == GOAL:
		return row.recipient_type
	kind = TriggerKind(row.kind)
	if kind in DATE_KINDS:
		return DATES
	if kind is TriggerKind.API_CALL:
		return API_CALLS
	if kind is TriggerKind.PURCHASE:
		return row.purchase_document
	if kind is TriggerKind.WEB_FORM_SUBMITTED:
		return WEB_FORMS
	return WATCHED.get(kind) or row.recipient_type
