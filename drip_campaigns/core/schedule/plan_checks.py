"""Validates a plan when it is saved, so that decisions do not check it again."""

from __future__ import annotations

from datetime import timedelta

from drip_campaigns.core.errors import (
	DuplicateStepError,
	InvalidDatesError,
	InvalidDelayError,
	InvalidPeriodError,
	InvalidWeekdaysError,
	InvalidWindowError,
	NoStepsError,
)
from drip_campaigns.core.flow.flow_checks import validate_flow
from drip_campaigns.core.model import ALL_WEEKDAYS, Plan
from drip_campaigns.core.schedule.wall_clock import MIDNIGHT, find_zone

LONGEST_OFFSET_HOURS = 100 * 366 * 24


def validate_plan(plan: Plan) -> None:
	"""Raise the InvalidPlanError that fits, with field and step, unless every enrollment can follow `plan`.

	A plan whose steps are all disabled is valid: its enrollments are complete.
	"""
	if not plan.steps:
		raise NoStepsError(field="steps")
	_validate_steps(plan)
	validate_flow(plan)
	_validate_days(plan)
	_validate_window(plan)
	find_zone(plan.timezone)


def _validate_steps(plan: Plan) -> None:
	seen: set[str] = set()
	for step in plan.steps:
		if step.id in seen:
			raise DuplicateStepError(field="id", step=step.id)
		seen.add(step.id)
		for field in ("send_after_days", "send_after_hours"):
			if not 0 <= getattr(step, field) <= LONGEST_OFFSET_HOURS:
				raise InvalidDelayError(field=field, step=step.id)
	for placed in plan.order:
		if placed.hours > LONGEST_OFFSET_HOURS:
			raise InvalidDelayError(field="send_after_days", step=placed.step.id)


def _validate_days(plan: Plan) -> None:
	if not plan.weekdays or not plan.weekdays <= ALL_WEEKDAYS:
		raise InvalidWeekdaysError(field="weekdays")
	if plan.start_date and plan.end_date and plan.end_date < plan.start_date:
		raise InvalidDatesError(field="end_date")
	if plan.grace < timedelta(0):
		raise InvalidPeriodError(field="grace")
	if plan.restart_after_days < 0:
		raise InvalidPeriodError(field="restart_after_days")


def _validate_window(plan: Plan) -> None:
	if plan.window is None:
		return
	opening, closing = plan.window
	if closing != MIDNIGHT and opening >= closing or opening == closing:
		raise InvalidWindowError(field="window")
