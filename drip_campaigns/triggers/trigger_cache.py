"""The triggers of running campaigns by the DocType whose records fire them: one look-up for each saved document.

Redis has the cache, and each process keeps a copy as long as Redis says that its version is the latest. A change of a
campaign publishes a new version after the commit. Every dispatch publishes one too, so no copy is outdated for long.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import frappe

from drip_campaigns.core.flow.goals import GOAL, GoalKind
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.site.row_names import new_name
from drip_campaigns.triggers.kinds.joined_target_list import JoinedTargetList
from drip_campaigns.triggers.registry import TRIGGER_KINDS

VERSION_KEY, TABLE_KEY = "drip_campaigns:triggers:version", "drip_campaigns:triggers:table"
RUNNING = (CampaignStatus.ACTIVE.value, CampaignStatus.PAUSED.value)
BASE_FIELDS = (
	"name",
	"parent",
	"kind",
	"recipient_type",
	"filters",
	"delay_days",
	"delay_hours",
	"ignore_imports",
)
KEPT_SECONDS = 24 * 3600


@dataclass
class Table:
	"""Rows of Drip Campaign Trigger by what fires them."""

	version: str
	by_doctype: dict[str, list[frappe._dict]] = field(default_factory=dict)


_tables: dict[str, Table] = {}  # of this process, by site: Redis says whether one is the latest


def find_watching(doctype: str) -> list[frappe._dict]:
	"""Return the triggers that records of `doctype` fire: one look-up in Redis, which nearly always confirms the copy."""
	return _latest().by_doctype.get(doctype, [])


def publish() -> None:
	"""Read the triggers of the running campaigns, and publish them to every process."""
	version, rows = new_name(), load_rows()
	frappe.cache.set_value(TABLE_KEY, json.dumps([version, rows], default=str), expires_in_sec=KEPT_SECONDS)
	frappe.cache.set_value(VERSION_KEY, version, expires_in_sec=KEPT_SECONDS)


def publish_after_commit() -> None:
	"""Publish after the commit of the current transaction, when everybody can see its changes."""
	frappe.db.after_commit.add(publish)


def forget() -> None:
	"""Clear the cache: the next look-up reads the database."""
	frappe.cache.delete_value([VERSION_KEY, TABLE_KEY])


def _fields() -> list[str]:
	own = (field for kind in TRIGGER_KINDS.all().values() for field in kind.fields)
	return list(dict.fromkeys((*BASE_FIELDS, *own)))


def load_rows(*, trigger: str | None = None) -> list[frappe._dict]:
	"""Return the enabled triggers of running campaigns, or one trigger in any state, with `parent` and `owner`.

	The lists that a campaign includes are triggers too: joining one enrolls. So are the goals: reaching one ends the enrollment.
	"""
	rows = [*_load_triggers(trigger), *_load_lists(trigger), *_load_goals(trigger)]
	return rows if trigger else [row for row in rows if is_running(row)]


def _load_triggers(trigger: str | None) -> list[frappe._dict]:
	row, campaign = frappe.qb.DocType("Drip Campaign Trigger"), frappe.qb.DocType("Drip Campaign")
	query = (
		frappe.qb.from_(row)
		.inner_join(campaign)
		.on(campaign.name == row.parent)
		.select(*(row[name] for name in _fields()), row.enabled, campaign.owner, campaign.status)
		.select(campaign.take_no_one_new)
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
		.select(campaign.owner, campaign.status, campaign.take_no_one_new)
		.orderby(campaign.creation, row.idx)
	)
	is_open = campaign.status.isin(RUNNING) & campaign.closed_at.isnull()
	query = query.where(row.name == trigger) if trigger else query.where(is_open)
	nothing = dict.fromkeys(_fields())
	joined = {"kind": JoinedTargetList.label, "delay_days": 0, "delay_hours": 0}
	return [frappe._dict({**nothing, **joined, **found}) for found in query.run(as_dict=True)]


def _load_goals(trigger: str | None) -> list[frappe._dict]:
	"""Return the goals of campaigns as rows: a record of `recipient_type` that matches `filters` reaches the goal."""
	campaign = frappe.qb.DocType("Drip Campaign")
	query = (
		frappe.qb.from_(campaign)
		.select(campaign.name.as_("parent"), campaign.owner, campaign.status, campaign.goal)
		.select(campaign.goal_recipient_type, campaign.goal_document, campaign.goal_filters.as_("filters"))
		.where(campaign.goal.isin([kind.value for kind in GoalKind]))
		.orderby(campaign.creation)
	)
	nothing = dict.fromkeys(_fields())
	rows = []
	for found in query.where(campaign.status.isin(RUNNING)).run(as_dict=True):
		asked = found.goal_document if found.goal == GoalKind.DOCUMENT_CREATED else found.goal_recipient_type
		known = {"name": goal_name(found.parent), "kind": GOAL, "recipient_type": asked, "enabled": 1}
		rows.append(frappe._dict({**nothing, **found, **known, "delay_days": 0, "delay_hours": 0}))
	return [row for row in rows if trigger in (None, row.name)]


def goal_name(campaign: str) -> str:
	"""Return what a firing of a campaign's goal refers to instead of a trigger."""
	return f"{GOAL}: {campaign}"


def is_running(trigger: frappe._dict) -> bool:
	"""Return whether a trigger, as `load_rows` returns it, is enabled in a campaign that runs."""
	return bool(trigger.enabled) and trigger.status in RUNNING


def _latest() -> Table:
	known = _tables.get(frappe.local.site)
	version = frappe.cache.get_value(VERSION_KEY, expires=True)
	if known and version == known.version:
		return known
	if not version:
		publish()
	stored = frappe.cache.get_value(TABLE_KEY, expires=True)
	version, rows = json.loads(stored) if stored else ("", load_rows())  # without Redis, read each time
	_tables[frappe.local.site] = table = _arrange(version, rows)
	return table


def _arrange(version: str, rows: list[dict[str, Any]]) -> Table:
	table = Table(version)
	for row in map(frappe._dict, rows):
		kind = TRIGGER_KINDS.find(row.kind)
		if kind:
			for place in kind.places(row):
				table.by_doctype.setdefault(place, []).append(row)
		elif row.kind == GOAL:
			table.by_doctype.setdefault(row.recipient_type, []).append(row)
	return table  # without the triggers of a kind whose app is gone
