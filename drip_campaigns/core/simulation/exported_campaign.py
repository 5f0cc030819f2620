"""A campaign export as the campaign of a simulation's file. Texts, triggers, variants and recipients play no part in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from drip_campaigns.core.campaign_file import FORMAT, read_campaign_file
from drip_campaigns.core.campaign_file import WEEKDAYS as WEEKDAY_FIELDS
from drip_campaigns.core.flow.flow_reader import FLOW_FIELDS, WAIT_FIELDS, read_form_values
from drip_campaigns.core.json_fields import fail
from drip_campaigns.core.model import StepType

COUNTED_FROM = {"Start": "start", "Previous Step": "previous"}
_RULES = {"if_late": str.lower, "re_enrollment": str.lower, "grace_hours": int, "restart_after_days": int}
_ACTION_FIELDS = (
	*("action", "run_when", "on_exit_reason", "action_field", "action_value", "action_tag", "action_list"),
	*("action_campaign", "action_doctype", "webhook", "action_user", "action_text"),
)


def is_exported_campaign(content: Any) -> bool:
	"""Say whether a JSON value is the content of an exported campaign."""
	return isinstance(content, Mapping) and content.get("format") == FORMAT


def convert_exported_campaign(content: Mapping[str, Any], timezone: str) -> dict[str, Any]:
	"""Return the `campaign` of a simulation's file; a step without a label gets the id "step-3".

	Raises CampaignFileError, naming the place, for a content that cannot be imported either.
	"""
	checked = read_campaign_file(json.dumps(content))
	rules = checked.get("campaign", {})
	campaign = {name: convert(rules[name]) for name, convert in _RULES.items() if name in rules}
	if rules.get("window_from") or rules.get("window_to"):
		campaign["window"] = [(rules.get(name) or "00:00")[:5] for name in ("window_from", "window_to")]
	days = [field[:3].title() for field in WEEKDAY_FIELDS if rules.get(field, 1)]
	return {
		**campaign,
		"timezone": timezone,
		"reopen_completed": bool(rules.get("reopen_completed", 1)),
		"weekdays": days,
		"steps": [_convert_step(step, number) for number, step in enumerate(checked["steps"], 1)],
	}


def _convert_step(row: Mapping[str, Any], number: int) -> dict[str, Any]:
	step_type = row.get("step_type", StepType.SEND.value)
	label = (row.get("label") or "").strip()
	step = {"id": label or f"step-{number}", "step_type": step_type}
	if label:
		step["label"] = label
	step["enabled"] = bool(row.get("enabled", 1)) and not row.get("is_draft")
	step["counted_from"] = COUNTED_FROM[row.get("counted_from", "Start")]
	step |= {name: row[name] for name in ("send_after_days", "send_after_hours") if name in row}
	waits = step_type == StepType.WAIT.value
	try:
		step |= read_form_values(row, (*FLOW_FIELDS, *WAIT_FIELDS) if waits else FLOW_FIELDS)
	except ValueError as error:
		fail(f"campaign.steps[{number - 1}].conditions", f"is not JSON: {error}")
	if step_type == StepType.ACTION.value:
		step |= {name: row[name] for name in _ACTION_FIELDS if row.get(name)}
		step["wait_for_todo"] = bool(row.get("wait_for_todo"))
	return step
