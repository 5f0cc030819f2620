"""A campaign as a file: the fields that it can have, and the check of a file from another site. Values in, values out.

People, senders, lists, and addresses are not part of it. Only the fields named here are allowed; their types and options
are those of the DocTypes, read from their JSON files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.flow_reader import WAIT_FIELDS
from drip_campaigns.core.model import StepType

FORMAT, VERSION = "drip-campaign", 1
MOST_CHARACTERS = 1_000_000
MOST_STEPS, MOST_TRIGGERS, MOST_VARIANTS = 100, 50, 200
MOST_OF_A_FIELD = 200_000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAY_BE_NEGATIVE = ("wait_days", "priority")
_TIME = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?")
_DOCTYPES = Path(__file__).parents[1] / "drip_campaigns" / "doctype"

CAMPAIGN_FIELDS = (
	*("window_from", "window_to", *WEEKDAYS),
	*("if_late", "grace_hours", "reopen_completed", "re_enrollment", "restart_after_days"),
	*("double_opt_in", "consent_text", "tracking_mode", "continue_after_reply", "reply_scope"),
	*("exit_on_conversion", "also_to_closed", "exit_when_unmatched"),
	*("goal", "goal_recipient_type", "goal_document", "goal_filters", "goal_within_days"),
	*("priority", "is_transactional", "has_browser_link"),
	*("utm_source", "utm_medium", "utm_campaign", "utm_content"),
	*("unsubscribe_scope", "omit_unsubscribe_link", "omit_bulk_headers"),
)
TRIGGER_FIELDS = (
	*("kind", "enabled", "recipient_type", "tag", "field_name", "field_value", "days", "days_from"),
	*("repeat", "local_day", "purchase_document", "delay_days", "delay_hours", "ignore_imports"),
)
# Fields that only steps of one type have.
ACTION_FIELDS = (
	*("action", "run_when", "on_exit_reason", "action_doctype", "action_field", "action_value", "action_tag"),
	*("action_list", "action_campaign", "assign_to", "action_user", "action_users", "action_text"),
	*("due_in_days", "wait_for_todo", "by_email", "webhook", "action_values"),
)
TEXT_FIELDS = ("subject", "preview_text", "use_html", "message", "message_html")
MAIL_FIELDS = (*TEXT_FIELDS, "in_thread", "utm_content")
TEST_FIELDS = ("control_weight", "winner_by", "winner_after_hours", "winner_sample", "no_winner_fallback")
STEP_FIELDS = (
	*("enabled", "is_draft", "send_after_days", "send_after_hours", "counted_from", "step_type", "label"),
	*("conditions", "otherwise", "otherwise_step", "next_step", "expires_after_hours"),
	*(*WAIT_FIELDS, *MAIL_FIELDS, *TEST_FIELDS, *ACTION_FIELDS),
)
VARIANT_FIELDS = ("step_label", "variant", "weight", "sender_name", *TEXT_FIELDS)


@dataclass(frozen=True)
class FileField:
	"""What a field of the file can hold: text or whole numbers, and one of `options` if there are any."""

	kind: type = str
	options: tuple[str, ...] = ()
	is_time: bool = False


def _read_fields(doctype: str, names: tuple[str, ...]) -> dict[str, FileField]:
	content = json.loads((_DOCTYPES / doctype / f"{doctype}.json").read_text(encoding="utf-8"))
	found = {field["fieldname"]: field for field in content["fields"]}
	return {name: _read_field(found[name]) for name in names}


def _read_field(field: Mapping[str, Any]) -> FileField:
	is_select = field["fieldtype"] == "Select"
	return FileField(
		int if field["fieldtype"] in ("Check", "Int") else str,
		tuple(option for option in field["options"].split("\n") if option) if is_select else (),
		field["fieldtype"] == "Time",
	)


_WHOLE = {**dict.fromkeys(("format", "title", "description", "icon"), FileField()), "version": FileField(int)}
CAMPAIGN = _read_fields("drip_campaign", CAMPAIGN_FIELDS)
# `make_draft` asks the site about kinds, which other apps can add.
STEP = {
	**_read_fields("drip_campaign_step", STEP_FIELDS),
	**dict.fromkeys(("action", "wait_for"), FileField()),
}
VARIANT = _read_fields("drip_step_variant", VARIANT_FIELDS)
TRIGGER = {**_read_fields("drip_campaign_trigger", TRIGGER_FIELDS), "kind": FileField()}


class CampaignFileError(DripError):
	"""The file isn't a valid campaign file."""


def read_campaign_file(text: str) -> dict[str, Any]:
	"""Return the checked content of a file; raise CampaignFileError that names the place, the cause, and the remedy."""
	if len(text) > MOST_CHARACTERS:
		raise CampaignFileError(
			f"The file has {len(text):,} characters. Shorten its texts to at most {MOST_CHARACTERS:,} in total."
		)
	try:
		content = json.loads(text)
	except (ValueError, RecursionError) as error:
		raise CampaignFileError(
			f"The file isn't valid JSON: {error}. Choose an exported campaign file."
		) from error
	_check_head(content)
	problem = next(_find_problems(content), None)
	if problem:
		raise CampaignFileError(problem)
	return content


def _check_head(content: Any) -> None:
	if not isinstance(content, dict) or content.get("format") != FORMAT:
		raise CampaignFileError("This isn't a campaign file. Choose an exported campaign file.")
	version = content.get("version")
	if not isinstance(version, int) or isinstance(version, bool) or version < 1:
		raise CampaignFileError("The file has no version. Export the campaign again.")
	if version > VERSION:
		raise CampaignFileError(
			f"A newer version of the app created this file (file version {version}, this site reads {VERSION}). "
			"Update the app, or export the campaign from a site with the same version."
		)


def _find_problems(content: Mapping[str, Any]) -> Iterator[str]:
	yield from _fields(
		{k: v for k, v in content.items() if k not in ("campaign", "steps", "variants", "triggers")},
		_WHOLE,
		"",
	)
	if not str(content.get("title") or "").strip():
		yield "title is missing. Enter a name for the campaign."
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
		yield "steps is missing. Add at least one step."
	for number, step in enumerate(steps):
		if step.get("step_type", StepType.SEND.value) == StepType.SEND.value and not step.get("is_draft"):
			yield from _missing_text(step, f"steps[{number}]")
	labels = {step.get("label") for step in steps} - {None, ""}
	for number, variant in enumerate(content.get("variants") or ()):
		if variant.get("step_label") not in labels:
			yield f"variants[{number}].step_label isn't the label of a step. Enter one."
	for number, trigger in enumerate(content.get("triggers") or ()):
		if not trigger.get("kind"):
			yield f"triggers[{number}].kind is missing. Enter the kind of the trigger."


def _missing_text(step: Mapping[str, Any], where: str) -> Iterator[str]:
	if not str(step.get("subject") or "").strip():
		yield f"{where}.subject is missing. Enter one."
	if not str(step.get("message_html" if step.get("use_html") else "message") or "").strip():
		yield f"{where} has no text. Enter one."


def _rows(content: Mapping[str, Any], key: str, known: Mapping[str, FileField], most: int) -> Iterator[str]:
	rows = content.get(key, [])
	if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
		yield f"{key} must be a list of objects."
		return
	if len(rows) > most:
		yield f"{key} has {len(rows)} rows. Keep at most {most}."
	for number, row in enumerate(rows):
		yield from _fields(row, known, f"{key}[{number}].")


def _fields(values: Mapping[str, Any], known: Mapping[str, FileField], where: str) -> Iterator[str]:
	for name, value in values.items():
		if name not in known:
			yield f"{where}{name} is unknown. Remove it, or update the app."
		elif problem := _check_value(known[name], value, -100_000 if name in MAY_BE_NEGATIVE else 0):
			yield f"{where}{name} {problem}"


def _check_value(field: FileField, value: Any, lowest: int) -> str | None:
	if not isinstance(value, field.kind):
		return f"must be {'a whole number' if field.kind is int else 'text'}."
	if field.kind is int:
		return None if lowest <= value <= 100_000 else f"is {value}. Enter a number from {lowest} to 100000."
	if len(value) > MOST_OF_A_FIELD:
		return f"is too long. Shorten it to at most {MOST_OF_A_FIELD} characters."
	if field.options and value not in field.options:
		return f"is “{value[:50]}”. Choose one of: {', '.join(field.options)}."
	if field.is_time and not _TIME.fullmatch(value):
		return f"is “{value[:50]}”. Enter a time such as 08:00:00."
	return None
