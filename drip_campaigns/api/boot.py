"""Data that Desk loads at startup: recipient types, and the kinds of triggers, actions, waits, and conditions."""

from collections import defaultdict
from typing import Any

import frappe
from frappe import _

from drip_campaigns.actions.registry import ACTION_KINDS
from drip_campaigns.core.flow.operators import Operator
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.plans.condition_kinds.campaign import label_standings
from drip_campaigns.plans.condition_kinds.event import label_events
from drip_campaigns.plans.condition_registry import CONDITION_KINDS
from drip_campaigns.plans.wait_registry import WAIT_KINDS
from drip_campaigns.triggers.registry import TRIGGER_KINDS


def add_recipient_types(bootinfo: dict) -> None:
	"""Add the recipient types to the boot data of users who can enroll; forms and lists of these types get a button."""
	may_enroll = frappe.has_permission("Drip Enrollment", "create")
	bootinfo["drip_recipient_types"] = available_types() if may_enroll else []


def add_kinds(bootinfo: dict) -> None:
	"""Add the kinds that a campaign's form offers, and the fields that each kind uses."""
	kinds = [*TRIGGER_KINDS.all().values(), *ACTION_KINDS.all().values()]
	waits = [(str(label), awaited) for awaited in WAIT_KINDS.all() for label in awaited.kinds]
	uses = [(label, awaited.fields_of(label)) for label, awaited in waits]
	typed = [*((kind.label, kind) for kind in TRIGGER_KINDS.all().values()), *waits]
	bootinfo["drip_kinds"] = {
		"uses": _group_by_field([*((kind.label, kind.fields) for kind in kinds), *uses]),
		"needs": _group_by_field(
			[*((kind.label, kind.needed) for kind in kinds), *((label, one.needed) for label, one in waits)]
		),
		"field_types": {label: kind.field_types for label, kind in typed},
		"conditions": _describe_conditions(),
	}


def _group_by_field(kinds) -> dict[str, list[str]]:
	found = defaultdict(list)
	for label, fields in kinds:
		for field in fields:
			found[field].append(label)
	return found


def _describe_conditions() -> dict[str, Any]:
	named = {name: kind for name, kind in CONDITION_KINDS.all().items() if kind.doctype}
	return {
		"labels": {name: _(kind.label) for name, kind in named.items()},
		"doctypes": {name: kind.doctype for name, kind in named.items()},
		"events": label_events(),
		"standings": label_standings(),
		"operators": [operator.value for operator in Operator],
	}
