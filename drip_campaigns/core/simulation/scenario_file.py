"""The simulation's file: reads JSON into a scenario, or names the wrong field in one line; and writes the result as JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from drip_campaigns.core.errors import DripError, InvalidPlanError, InvalidScenarioError, UnknownTimeZoneError
from drip_campaigns.core.flow.condition_kinds.event import EmailFeedback
from drip_campaigns.core.flow.condition_kinds.expression import ExpressionTest
from drip_campaigns.core.flow.flow_reader import take_flow
from drip_campaigns.core.json_fields import (
	Fields,
	Reader,
	fail,
	or_null,
	read_boolean,
	read_choice,
	read_count,
	read_list,
	read_text,
)
from drip_campaigns.core.model import (
	ALL_WEEKDAYS,
	CountedFrom,
	ExitReason,
	IfLate,
	Plan,
	ReEnrollment,
	Step,
	StepType,
)
from drip_campaigns.core.schedule.frequency_caps import LONGEST_DAYS, Cap, find_caps
from drip_campaigns.core.schedule.plan_checks import validate_plan
from drip_campaigns.core.schedule.wall_clock import find_zone, from_wall, to_utc
from drip_campaigns.core.simulation.earlier_names import use_current_names
from drip_campaigns.core.simulation.exported_campaign import (
	COUNTED_FROM,
	convert_exported_campaign,
	is_exported_campaign,
)
from drip_campaigns.core.simulation.scenario import Action, Scenario, ScriptedEvent, SimulationResult
from drip_campaigns.core.simulation.scripted_actions import (
	ExitStep,
	ScriptedAction,
	ScriptedActions,
	read_action,
	read_any_case,
)
from drip_campaigns.core.simulation.scripted_data import CHANGES, read_change, read_data

MINUTES_PER_DAY = 24 * 60
YEARS = range(1970, 2400)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{3}|\.\d{6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
TIME = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)

WEEKDAYS = {name: day for day, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))}
COUNTED_FROM_VALUES = {word: CountedFrom(label) for label, word in COUNTED_FROM.items()}
IF_LATE = {choice.value.lower(): choice for choice in IfLate}
RE_ENROLLMENT = {choice.value.lower(): choice for choice in ReEnrollment}
ACTIONS = {action.value: action for action in Action}
STEP_TYPES = {"send": StepType.SEND, "wait": StepType.WAIT, "action": StepType.ACTION, "end": StepType.END}
HEARD = {heard.value.lower(): heard.value for heard in EmailFeedback if heard is not EmailFeedback.SENT}


class Row(NamedTuple):
	"""A step of the file, with its action if it is one, and whether it runs on exit."""

	step: Step
	action: ScriptedAction | None
	runs_on_exit: bool


def load_scenario(file: str, start: str | None = None, until: str | None = None) -> Scenario:
	"""Return the scenario of the named file ("-" is standard input); raise InvalidScenarioError naming the field.

	The file can also be an exported campaign: then `start` and `until` are those of its one enrollment.
	"""
	try:
		text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
		content = json.loads(text)
	except OSError as error:
		raise InvalidScenarioError(f"cannot be read: {error.strerror}") from error
	except (ValueError, RecursionError) as error:
		raise InvalidScenarioError(f"is not JSON: {error}") from error
	if is_exported_campaign(content):
		given = {"start": start, "until": until}
		missing = next((name for name, value in given.items() if not value), None)
		if missing:
			fail(f"--{missing}", "is missing: an exported campaign has no dates")
		content = {"campaign": content, "enrollment": {"start": start}, "until": until}
	return read_scenario(content)


def read_scenario(content: Any) -> Scenario:
	"""Return the scenario that the JSON value describes; raise InvalidScenarioError naming the field."""
	fields = Fields(_convert_export(content), "")
	plan, actions = fields.take("campaign", _read_plan)
	read_moment = _moment_reader(find_zone(plan.timezone))
	start, timezone, data = fields.take(
		"enrollment", lambda value, path: _read_enrollment(value, path, read_moment)
	)
	script = fields.take("script", read_list(_event_reader(plan, read_moment)), ())
	caps = fields.take("frequency_cap", _read_caps, ())
	until = fields.take("until", read_moment)
	every = fields.take("every_minutes", _read_minutes, timedelta(minutes=5))
	fields.refuse_others()
	by_time = tuple(sorted(script, key=lambda event: event.at))
	return Scenario(plan, start, timezone, by_time, until, every, data, actions, caps)


def _convert_export(content: Any) -> Any:
	"""Return a file whose campaign is an export as one with a plan on the clock of the recipient, else UTC."""
	if not isinstance(content, Mapping) or not is_exported_campaign(content.get("campaign")):
		return content
	enrollment = content.get("enrollment")
	timezone = enrollment.get("timezone") if isinstance(enrollment, Mapping) else None
	return {**content, "campaign": convert_exported_campaign(content["campaign"], timezone or "UTC")}


def write_outcome(outcome: SimulationResult) -> str:
	"""Return the result as JSON; its times have the offset of the enrollment's zone."""

	def write_moment(moment: datetime) -> str:
		return moment.astimezone(outcome.zone).isoformat()

	content = {
		"sent": [
			{"step": sent.step_id, "planned": write_moment(sent.planned_at), "at": write_moment(sent.at)}
			for sent in outcome.sent
		],
		"skipped": [
			{"step": skipped.step_id, "at": write_moment(skipped.at), "reason": skipped.reason}
			for skipped in outcome.skipped
		],
		"status": outcome.status.value,
		"end_date": outcome.end_date.isoformat(),
	}
	if outcome.acted:
		content["done"] = [
			{"step": acted.step_id, "at": write_moment(acted.at), "what": acted.what}
			for acted in outcome.acted
		]
	if outcome.deferred:
		content["held_back"] = [
			{"step": held.step_id, "at": write_moment(held.at), "until": write_moment(held.until)}
			for held in outcome.deferred
		]
	if outcome.turned:
		content["turned"] = [
			{"step": turned.step_id, "at": write_moment(turned.at), "what": turned.what}
			for turned in outcome.turned
		]
	return json.dumps(content, indent=2, ensure_ascii=False)


def explain(error: DripError) -> str:
	"""Return the error as one line that begins with the field, if there is one."""
	message = " ".join(str(error).split())
	field = f"campaign.{error.field}" if isinstance(error, InvalidPlanError) else error.field
	return f"{field}: {message}" if field else message


def _read_plan(value: Any, path: str) -> tuple[Plan, ScriptedActions]:
	fields = Fields(value, path)
	rows = fields.take("steps", read_list(_read_step))
	steps, actions = sort_rows(rows)
	plan = Plan(
		steps=steps,
		timezone=fields.take("timezone", _read_zone_name),
		if_late=fields.take("if_late", read_choice(IF_LATE), IfLate.KEEP_INTERVALS),
		grace=timedelta(hours=fields.take("grace_hours", read_count, 24)),
		reopen_completed=fields.take("reopen_completed", read_boolean, True),
		re_enrollment=fields.take("re_enrollment", read_choice(RE_ENROLLMENT), ReEnrollment.RESUME),
		restart_after_days=fields.take("restart_after_days", read_count, 0),
		start_date=fields.take("start_date", or_null(_read_day), None),
		end_date=fields.take("end_date", or_null(_read_day), None),
		weekdays=frozenset(fields.take("weekdays", read_list(read_choice(WEEKDAYS)), ALL_WEEKDAYS)),
		window=fields.take("window", or_null(_read_window), None),
		holidays=frozenset(fields.take("holidays", read_list(_read_day), ())),
		quiet=fields.take("quiet", or_null(_read_window), None),
	)
	fields.refuse_others()
	_validate(plan, path, rows)
	return plan, actions


def sort_rows(rows: Sequence[Row]) -> tuple[tuple[Step, ...], ScriptedActions]:
	"""Return the steps of the schedule, and the actions; steps on exit are no part of the schedule."""
	steps = tuple(row.step for row in rows if not row.runs_on_exit)
	actions = {row.step.id: row.action for row in rows if row.action and not row.runs_on_exit}
	on_exit = tuple(ExitStep(row.step, row.action) for row in rows if row.action and row.runs_on_exit)
	return steps, ScriptedActions(actions, on_exit)


def _read_step(value: Any, path: str) -> Row:
	fields = Fields(use_current_names(value), path)
	named = "step_type" if "step_type" in fields.left else "type"  # as a form has it, or in short
	step_type = fields.take(
		named, read_any_case(StepType) if named == "step_type" else read_choice(STEP_TYPES), StepType.SEND
	)
	step = Step(
		id=fields.take("id", read_text),
		type=step_type,
		label=fields.take("label", read_text, ""),
		send_after_days=fields.take("send_after_days", read_count, 0),
		send_after_hours=fields.take("send_after_hours", read_count, 0),
		counted_from=fields.take("counted_from", read_choice(COUNTED_FROM_VALUES), CountedFrom.START),
		enabled=fields.take("enabled", read_boolean, True),
		flow=take_flow(fields, waits=step_type is StepType.WAIT),
	)
	action, waits_for_todo, runs_on_exit = (
		read_action(fields) if step_type is StepType.ACTION else (None, False, False)
	)
	fields.refuse_others()
	for number, test in enumerate(step.flow.conditions.tests if step.flow.conditions else ()):
		if isinstance(test, ExpressionTest):
			fail(f"{path}.conditions.tests[{number}]", "is an expression, which needs a site")
	return Row(replace(step, waits_for_todo=waits_for_todo), action, runs_on_exit)


def _validate(plan: Plan, path: str, rows: Sequence[Row]) -> None:
	"""Raise an invalid plan as an error that names the place in the file."""
	try:
		validate_plan(plan)
	except InvalidPlanError as error:
		row = next((number for number, row in enumerate(rows) if row.step.id == error.step), None)
		place = f"{path}.{error.field}" if row is None else f"{path}.steps[{row}].{error.field}"
		raise InvalidScenarioError(str(error), field=place) from error


def _read_enrollment(
	value: Any, path: str, read_moment: Reader[datetime]
) -> tuple[datetime, str | None, Mapping[str, Any]]:
	fields = Fields(value, path)
	start = fields.take("start", read_moment)
	timezone = fields.take("timezone", or_null(_read_zone_name), None)
	data = read_data(fields)
	fields.refuse_others()
	return start, timezone, data


def _event_reader(plan: Plan, read_moment: Reader[datetime]) -> Reader[ScriptedEvent]:
	def read(value: Any, path: str) -> ScriptedEvent:
		fields = Fields(value, path)
		at = fields.take("at", read_moment)
		action = fields.take("do", read_choice(ACTIONS))
		until = fields.take("until", read_moment) if action is Action.DOWN else None
		if action is Action.PAUSE_STEP:
			until = fields.take("until", read_moment, None)
		rows = fields.take("steps", read_list(_read_step)) if action is Action.EDIT_STEPS else ()
		steps, actions = sort_rows(rows)
		given = _take_given(fields, action)
		fields.refuse_others()
		if until is not None and until <= at:
			fail(fields.path_of("until"), "must be later than at")
		if steps:  # an edit may delete all of them
			_validate(Plan(steps, plan.timezone), path, rows)
		return ScriptedEvent(at, action, until, steps, actions, given)

	return read


def _take_given(fields: Fields, action: Action) -> Mapping[str, Any]:
	if action is Action.EVENT:
		return _take_event(fields)
	if action in (Action.PAUSE_STEP, Action.RESUME_STEP, Action.CLOSE):
		return {"step": fields.take("step", read_text)}
	if action is Action.REMOVE:
		return {"because": fields.take("because", read_any_case(ExitReason), ExitReason.REMOVED)}
	return read_change(fields, action.value) if action.value in CHANGES else {}


def _read_caps(value: Any, path: str) -> tuple[Cap, ...]:
	fields = Fields(use_current_names(value), path)
	count, days = fields.take("count", read_count, 0), fields.take("days", read_count, 1)
	if days > LONGEST_DAYS:
		fail(fields.path_of("days"), f"must be {LONGEST_DAYS} at most")
	one_per_day = fields.take("one_per_day", read_boolean, False)
	fields.refuse_others()
	return find_caps(count, days, one_per_day=one_per_day)


def _take_event(fields: Fields) -> Mapping[str, Any]:
	return {
		"event": fields.take("event", read_choice(HEARD)),
		"step": fields.take("step", read_text),
		"link": fields.take("link", read_text, ""),
	}


def _moment_reader(zone: ZoneInfo) -> Reader[datetime]:
	"""Return a reader of moments that reads one without offset on the clock of `zone`."""

	def read(value: Any, path: str) -> datetime:
		if not isinstance(value, str) or not MOMENT.fullmatch(value):
			fail(path, "must be a moment such as 2026-03-27T10:00:00 or 2026-03-27T10:00:00+01:00")
		try:
			moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
		except ValueError as error:
			fail(path, f"is not a moment: {error}")
		if moment.year not in YEARS:
			fail(path, f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
		return from_wall(moment, zone) if moment.tzinfo is None else to_utc(moment)

	return read


def _read_day(value: Any, path: str) -> date:
	if not isinstance(value, str) or not DAY.fullmatch(value):
		fail(path, "must be a day such as 2026-03-27")
	try:
		day = date.fromisoformat(value)
	except ValueError as error:
		fail(path, f"is not a day: {error}")
	if day.year not in YEARS:
		fail(path, f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
	return day


def _read_window(value: Any, path: str) -> tuple[time, time]:
	if not isinstance(value, list) or len(value) != 2:
		fail(path, 'must be null or two times such as ["09:00", "17:00"]')
	closing = "00:00" if value[1] == "24:00" else value[1]
	return _read_time(value[0], f"{path}[0]"), _read_time(closing, f"{path}[1]")


def _read_time(value: Any, path: str) -> time:
	if not isinstance(value, str) or not TIME.fullmatch(value):
		fail(path, "must be a time of day such as 09:00")
	try:
		return time.fromisoformat(value)
	except ValueError as error:
		fail(path, f"is not a time of day: {error}")


def _read_minutes(value: Any, path: str) -> timedelta:
	if not 1 <= read_count(value, path) <= MINUTES_PER_DAY:
		fail(path, f"must be a whole number from 1 to {MINUTES_PER_DAY}")
	return timedelta(minutes=value)


def _read_zone_name(value: Any, path: str) -> str:
	try:
		find_zone(read_text(value, path))
	except UnknownTimeZoneError as error:
		fail(path, str(error))
	return value
