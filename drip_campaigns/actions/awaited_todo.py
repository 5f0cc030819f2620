"""Enrollments whose next step waits for the ToDo of an action: whether it is open, and from when the rest counts."""

from collections.abc import Mapping
from typing import Any

from drip_campaigns.core.flow.actions import UNSETTLED
from drip_campaigns.core.model import Plan, Position
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.site.clock import from_site

Steps = Mapping[str, Mapping[str, Any]]  # as `load_dealt_with` returns those of one enrollment


def is_waiting_for_todo(steps: Steps) -> bool:
	"""Return whether an open ToDo must be closed first."""
	return any(deed.get("waits") and deed["status"] in UNSETTLED for deed in steps.values())


def keep_distance(plan: Plan, position: Position, steps: Steps) -> Position:
	"""Return the position of an enrollment that waited: the steps after the ToDo count from when it was closed."""
	deed = steps.get(position.reached_step or "")
	if not deed or not deed.get("waits") or not deed["done_at"] or deed["status"] in UNSETTLED:
		return position
	return due_steps.shift_late(plan, position, position.reached_step, from_site(deed["done_at"]))
