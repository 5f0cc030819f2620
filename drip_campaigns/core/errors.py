"""The errors of the core. Each names the fault and its place; the edge shows them to the user."""

from __future__ import annotations


class DripError(Exception):
	"""Drip Campaigns cannot do this."""

	def __init__(self, message: str = "", *, field: str | None = None, step: str | None = None) -> None:
		super().__init__(message or type(self).__doc__)
		self.field = field
		self.step = step


class InvalidPlanError(DripError):
	"""Enrollments cannot follow the schedule of the campaign."""


class NoStepsError(InvalidPlanError):
	"""The campaign has no steps."""


class DuplicateStepError(InvalidPlanError):
	"""Two steps have the same id."""


class DuplicateLabelError(InvalidPlanError):
	"""Two steps have the same label."""


class InvalidFlowError(InvalidPlanError):
	"""Enrollments cannot follow the flow of the campaign."""


class UnknownLabelError(InvalidFlowError):
	"""A step names a step that does not exist."""


class LoopSendsError(InvalidFlowError):
	"""This step is in a loop. Only waits and ends can be in a loop, because an enrollment runs each other step once."""


class LoopWithoutWaitError(InvalidFlowError):
	"""This step is in a loop that takes no time. Give one of its steps a delay of a day or an hour."""


class InvalidDelayError(InvalidPlanError):
	"""The days and hours of a step must not be negative, and no step may come more than 100 years after the start."""


class InvalidWindowError(InvalidPlanError):
	"""The sending window must open before it closes."""


class InvalidWeekdaysError(InvalidPlanError):
	"""Allow at least one weekday."""


class InvalidDatesError(InvalidPlanError):
	"""The end date of the campaign is before its start date."""


class InvalidPeriodError(InvalidPlanError):
	"""The grace hours and the days before a restart must not be negative."""


class NoAllowedMomentError(InvalidPlanError):
	"""Weekdays, window and holidays allow no moment for sending within two years."""


class BrokenRuleError(InvalidPlanError):
	"""An exit rule of the campaign cannot be evaluated."""


class UnknownTimeZoneError(InvalidPlanError):
	"""This time zone does not exist."""


class NaiveMomentError(DripError):
	"""A moment must have a time zone."""


class UnknownStepError(DripError):
	"""The campaign has no such step."""


class InvalidTransitionError(DripError):
	"""An enrollment in this status cannot change like this."""


class InvalidScenarioError(DripError):
	"""The simulation file is not as described in docs/guide/schedule.md."""
