"""A campaign as a file: which fields it may hold, and what is wrong with one that somebody brings. Values in, values out.

People, senders, lists and addresses are no part of it. Every field is named here, so that nothing unknown comes in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.actions import ActionKind, AssignTo, OnExitReason, RunWhen
from drip_campaigns.core.flow.goals import GoalDocument, GoalKind, ReplyScope
from drip_campaigns.core.flow.operators import Operator
from drip_campaigns.core.flow.step_flow import Otherwise
from drip_campaigns.core.flow.triggers import DaysFrom, LocalDay, PurchaseDocument, Repeat
from drip_campaigns.core.flow.variants import Criterion, NoWinnerFallback
from drip_campaigns.core.flow.wait_kind import OnTimeout, WaitFor
from drip_campaigns.core.flow.wait_kinds.event import WaitSince
from drip_campaigns.core.model import CountedFrom, IfLate, Label, ReEnrollment, StepType, UnsubscribeScope
from drip_campaigns.core.schedule.confirmation import OptIn
from drip_campaigns.core.tracking.tracking_mode import TrackingMode

FORMAT, VERSION = "drip-campaign", 1
MOST_CHARACTERS = 1_000_000
MOST_STEPS, MOST_TRIGGERS, MOST_VARIANTS = 100, 50, 200
MOST_OF_A_FIELD = 200_000
_TIME = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_WHOLE = {"format": str, "version": int, "title": str, "description": str, "icon": str}
CAMPAIGN: dict[str, type] = {
	"window_from": str,
	"window_to": str,
	**dict.fromkeys(WEEKDAYS, int),
	"if_late": str,
	"grace_hours": int,
	"reopen_completed": int,
	"re_enrollment": str,
	"restart_after_days": int,
	"double_opt_in": str,
	"consent_text": str,
	"tracking_mode": str,
	"continue_after_reply": int,
	"reply_scope": str,
	"exit_on_conversion": int,
	"exit_when_unmatched": int,
	"goal": str,
	"goal_recipient_type": str,
	"goal_document": str,
	"goal_filters": str,
	"goal_within_days": int,
	"priority": int,
	"is_transactional": int,
	"has_browser_link": int,
	"utm_source": str,
	"utm_medium": str,
	"utm_campaign": str,
	"utm_content": str,
	"unsubscribe_scope": str,
	"omit_unsubscribe_link": int,
	"omit_bulk_headers": int,
}
STEP: dict[str, type] = {
	"enabled": int,
	"is_draft": int,
	"send_after_days": int,
	"send_after_hours": int,
	"counted_from": str,
	"step_type": str,
	"label": str,
	"conditions": str,
	"otherwise": str,
	"otherwise_step": str,
	"next_step": str,
	"expires_after_hours": int,
	"wait_for": str,
	"wait_step": str,
	"wait_link": str,
	"wait_since": str,
	"wait_field": str,
	"wait_operator": str,
	"wait_value": str,
	"wait_days": int,
	"wait_time": str,
	"wait_limit_days": int,
	"wait_limit_hours": int,
	"on_timeout": str,
	"on_timeout_step": str,
	"subject": str,
	"preview_text": str,
	"use_html": int,
	"message": str,
	"message_html": str,
	"in_thread": int,
	"utm_content": str,
	"control_weight": int,
	"winner_by": str,
	"winner_after_hours": int,
	"winner_sample": int,
	"no_winner_fallback": str,
	"action": str,
	"run_when": str,
	"on_exit_reason": str,
	"action_doctype": str,
	"action_field": str,
	"action_value": str,
	"action_tag": str,
	"action_list": str,
	"action_campaign": str,
	"assign_to": str,
	"action_user": str,
	"action_users": str,
	"action_text": str,
	"due_in_days": int,
	"wait_for_todo": int,
	"by_email": int,
	"webhook": str,
	"action_values": str,
}
VARIANT: dict[str, type] = {
	"step_label": str,
	"variant": str,
	"weight": int,
	"sender_name": str,
	"subject": str,
	"preview_text": str,
	"use_html": int,
	"message": str,
	"message_html": str,
}
# What only a step of one kind has.
ACTION_FIELDS = (
	*(
		"action",
		"run_when",
		"on_exit_reason",
		"action_doctype",
		"action_field",
		"action_value",
		"action_tag",
	),
	*(
		"action_list",
		"action_campaign",
		"assign_to",
		"action_user",
		"action_users",
		"action_text",
		"due_in_days",
	),
	*("wait_for_todo", "by_email", "webhook", "action_values"),
)
MAIL_FIELDS = ("subject", "preview_text", "use_html", "message", "message_html", "in_thread", "utm_content")
TEST_FIELDS = ("control_weight", "winner_by", "winner_after_hours", "winner_sample", "no_winner_fallback")
TRIGGER: dict[str, type] = {
	"kind": str,
	"enabled": int,
	"recipient_type": str,
	"tag": str,
	"field_name": str,
	"field_value": str,
	"days": int,
	"days_from": str,
	"repeat": str,
	"local_day": str,
	"purchase_document": str,
	"delay_days": int,
	"delay_hours": int,
	"ignore_imports": int,
}


# What a field may say, where it is a choice. A kind of trigger that is not known is left out by whoever makes the draft.
CHOICES: dict[str, type[Label]] = {
	"if_late": IfLate,
	"re_enrollment": ReEnrollment,
	"double_opt_in": OptIn,
	"tracking_mode": TrackingMode,
	"unsubscribe_scope": UnsubscribeScope,
	"counted_from": CountedFrom,
	"step_type": StepType,
	"otherwise": Otherwise,
	"wait_for": WaitFor,
	"wait_since": WaitSince,
	"wait_operator": Operator,
	"on_timeout": OnTimeout,
	"days_from": DaysFrom,
	"repeat": Repeat,
	"local_day": LocalDay,
	"purchase_document": PurchaseDocument,
	"reply_scope": ReplyScope,
	"goal": GoalKind,
	"goal_document": GoalDocument,
	"winner_by": Criterion,
	"no_winner_fallback": NoWinnerFallback,
	"action": ActionKind,
	"run_when": RunWhen,
	"on_exit_reason": OnExitReason,
	"assign_to": AssignTo,
}
TIMES = ("window_from", "window_to", "wait_time")
MAY_BE_NEGATIVE = ("wait_days", "priority")


class CampaignFileError(DripError):
	"""The file is no campaign that can be read."""


def read_campaign_file(text: str) -> dict[str, Any]:
	"""Return what a file says, checked from end to end; raise TemplateFileError naming the place, the cause and the remedy."""
	if len(text) > MOST_CHARACTERS:
		raise CampaignFileError(
			f"The file has {len(text):,} characters; {MOST_CHARACTERS:,} are the most. Shorten its texts."
		)
	try:
		content = json.loads(text)
	except (ValueError, RecursionError) as error:
		raise CampaignFileError(f"The file is no JSON: {error}. Choose one that was exported.") from error
	_check_head(content)
	problem = next(_find_problems(content), None)
	if problem:
		raise CampaignFileError(problem)
	return content


def _check_head(content: Any) -> None:
	if not isinstance(content, dict) or content.get("format") != FORMAT:
		raise CampaignFileError("This is not the file of a campaign. Choose one that was exported.")
	version = content.get("version")
	if not isinstance(version, int) or isinstance(version, bool) or version < 1:
		raise CampaignFileError("The file does not say its version. Export the campaign again.")
	if version > VERSION:
		raise CampaignFileError(
			f"The file was made by a newer version of the app (file version {version}, this site reads {VERSION}). "
			"Update the app, or export the campaign from a site like this one."
		)


def _find_problems(content: Mapping[str, Any]) -> Iterator[str]:
	yield from _fields(
		{k: v for k, v in content.items() if k not in ("campaign", "steps", "variants", "triggers")},
		_WHOLE,
		"",
	)
	if not str(content.get("title") or "").strip():
		yield "title is missing. Give the campaign a name."
	campaign = content.get("campaign", {})
	if not isinstance(campaign, dict):
		yield "campaign must be an object of fields."
		return
	yield from _fields(campaign, CAMPAIGN, "campaign.")
	yield from _rows(content, "steps", STEP, MOST_STEPS)
	yield from _rows(content, "variants", VARIANT, MOST_VARIANTS)
	yield from _rows(content, "triggers", TRIGGER, MOST_TRIGGERS)
	yield from _missing(content)


def _missing(content: Mapping[str, Any]) -> Iterator[str]:
	steps = content.get("steps") or ()
	if not steps:
		yield "steps is missing. A campaign has at least one step."
	for number, step in enumerate(steps):
		if step.get("step_type", StepType.SEND.value) == StepType.SEND.value and not step.get("is_draft"):
			yield from _missing_text(step, f"steps[{number}]")
	labels = {step.get("label") for step in steps} - {None, ""}
	for number, variant in enumerate(content.get("variants") or ()):
		if variant.get("step_label") not in labels:
			yield f"variants[{number}].step_label names no step. Write the label of one."
	for number, trigger in enumerate(content.get("triggers") or ()):
		if not trigger.get("kind"):
			yield f"triggers[{number}].kind is missing."


def _missing_text(step: Mapping[str, Any], where: str) -> Iterator[str]:
	if not str(step.get("subject") or "").strip():
		yield f"{where}.subject is missing. Every step needs one."
	if not str(step.get("message_html" if step.get("use_html") else "message") or "").strip():
		yield f"{where} has no text. Every step needs one."


def _rows(content: Mapping[str, Any], key: str, known: Mapping[str, type], most: int) -> Iterator[str]:
	rows = content.get(key, [])
	if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
		yield f"{key} must be a list of objects."
		return
	if len(rows) > most:
		yield f"{key} has {len(rows)} rows; {most} are the most."
	for number, row in enumerate(rows):
		yield from _fields(row, known, f"{key}[{number}].")


def _fields(values: Mapping[str, Any], known: Mapping[str, type], where: str) -> Iterator[str]:
	for name, value in values.items():
		if name not in known:
			yield f"{where}{name} is not known. Remove it, or update the app."
		elif not isinstance(value, known[name]):
			kind = "a whole number" if known[name] is int else "text"
			yield f"{where}{name} must be {kind}."
		elif known[name] is int and not (-100_000 if name in MAY_BE_NEGATIVE else 0) <= value <= 100_000:
			yield f"{where}{name} is {value}. Between 0 and 100000 is possible."
		elif known[name] is str and len(value) > MOST_OF_A_FIELD:
			yield f"{where}{name} is too long: {MOST_OF_A_FIELD} characters are the most."
		elif name in CHOICES and value not in [choice.value for choice in CHOICES[name]]:
			choices = ", ".join(choice.value for choice in CHOICES[name])
			yield f"{where}{name} is “{value[:50]}”. Choose one of: {choices}."
		elif name in TIMES and not _TIME.fullmatch(value):
			yield f"{where}{name} is “{value[:50]}”. Write a time such as 08:00:00."
