"""Enrollments whose next step waits for the ToDo of an action: until it is closed, from when the rest counts."""

from collections.abc import Mapping
from typing import Any

import frappe

from drip_campaigns.actions.queue import DOCTYPE
from drip_campaigns.core.flow.actions import UNSETTLED, ActionStatus
from drip_campaigns.core.model import Plan, Position, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.db.bulk_writes import set_values
from drip_campaigns.site.clock import from_site, to_site, utc_now

Steps = Mapping[str, Mapping[str, Any]]  # as `load_handled_steps` returns those of one enrollment


def is_waiting_for_todo(steps: Steps) -> bool:
	"""Return whether an open ToDo must be closed first."""
	return any(deed.get("waits") and deed["status"] in UNSETTLED for deed in steps.values())


def keep_distance(plan: Plan, position: Position, steps: Steps) -> Position:
	"""Return the position of an enrollment that waited: the steps after the ToDo count from when it was closed."""
	deed = steps.get(position.reached_step or "")
	if not deed or not deed.get("waits") or not deed["done_at"] or deed["status"] in UNSETTLED:
		return position
	return due_steps.shift_late(plan, position, position.reached_step, from_site(deed["done_at"]))


def record_closed_todo(document, _event: str | None = None) -> None:
	"""Make the enrollment due that waits for a ToDo, if the ToDo is closed, cancelled or deleted."""
	if document.status == "Open" and _event != "on_trash":
		return
	filters = {"reference_name": document.name, "reference_doctype": "ToDo"}
	waiting = {**filters, "status": ActionStatus.ASSIGNED.value}
	rows = frappe.get_all(DOCTYPE, filters=waiting, fields=["name", "enrollment"])
	if not rows:
		return
	site_now = to_site(utc_now())
	values = {"status": ActionStatus.DONE.value, "done_at": site_now}
	set_values(DOCTYPE, [row.name for row in rows], values, site_now)
	continuing = {
		"name": ["in", [row.enrollment for row in rows]],
		"status": ["in", [Status.SCHEDULED.value, Status.IN_PROGRESS.value]],
		"next_send_at": ["is", "set"],
	}
	names = frappe.get_all("Drip Enrollment", filters=continuing, pluck="name")
	set_values("Drip Enrollment", names, {"next_send_at": site_now}, site_now)
