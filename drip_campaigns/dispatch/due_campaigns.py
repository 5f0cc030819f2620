"""Find the campaigns that have something due, by priority. Reads only."""

from collections.abc import Sequence
from datetime import datetime

import frappe

from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.db.dialect import select_in


def find_campaigns_with_due(site_now: datetime) -> list[str]:
	"""Return the active campaigns with enrollments due at `site_now`: by priority, then the oldest first.

	One index probe per campaign: the cost does not grow with the number of enrollments.
	"""
	filters = {"status": CampaignStatus.ACTIVE.value}
	order = "priority desc, creation"
	active = frappe.get_all("Drip Campaign", filters=filters, order_by=order, pluck="name")
	if not active:
		return []
	# Raw, with the names as values: for a name from a join, MariaDB reads all rows of the campaign.
	probe = "(SELECT %s FROM `tabDrip Enrollment` WHERE campaign = %s AND next_send_at <= %s LIMIT 1)"
	values = [value for name in active for value in (name, name, site_now)]
	# nosemgrep: raw-sql - one index probe per campaign, with names as values
	due = {name for (name,) in frappe.db.sql(" UNION ALL ".join([probe] * len(active)), values)}
	return [name for name in active if name in due]


def group_by_priority(campaigns: Sequence[str]) -> list[list[str]]:
	"""Return the campaigns in groups of the same priority, the highest first; each group keeps their order."""
	rows = select_in("Drip Campaign", ["name", "priority"], "name", campaigns)
	priorities = {row.name: row.priority or 0 for row in rows}
	groups: dict[int, list[str]] = {}
	for name in campaigns:
		groups.setdefault(priorities.get(name, 0), []).append(name)
	return [groups[priority] for priority in sorted(groups, reverse=True)]
