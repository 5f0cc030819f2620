"""Which triggers a saved record fires. Looks at the record alone, without a query: the user who saves it waits."""

import json
from collections.abc import Iterator, Sequence

import frappe
from frappe.utils import cstr

from drip_campaigns.core.flow.goals import GOAL
from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import make_firing
from drip_campaigns.triggers.registry import TRIGGER_KINDS

SUBMITTED = 1


def find_firings(document, triggers: Sequence[frappe._dict]) -> Iterator[Firing]:
	"""Yield a firing for each of `triggers` that a change of `document` fires. They watch its DocType."""
	for trigger in triggers:
		if trigger.ignore_imports and frappe.flags.in_import:
			continue
		if trigger.kind == GOAL:
			if _may_reach_goal(document, trigger):
				yield make_firing(document, trigger, cstr(document.modified))
		elif firing := TRIGGER_KINDS.get(trigger.kind).match(document, trigger):
			yield firing


def _may_reach_goal(document, trigger: frappe._dict) -> bool:
	"""Compare only what must be equal; the job asks the database for the rest."""
	if document.meta.is_submittable and document.docstatus != SUBMITTED:
		return False
	own = [row for row in json.loads(trigger.filters or "[]") if row[0] == document.doctype and row[2] == "="]
	return all(cstr(document.get(row[1])).casefold() == cstr(row[3]).casefold() for row in own)
