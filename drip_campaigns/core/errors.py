"""The errors of the core. Each names what is wrong and where; the edge turns them into words for the user."""

from __future__ import annotations


class DripError(Exception):
	"""Something in Drip Campaigns cannot be done."""

	def __init__(self, message: str = "", *, field: str | None = None, step: str | None = None) -> None:
		super().__init__(message or type(self).__doc__)
		self.field = field
		self.step = step


class InvalidPlanError(DripError):
	"""The schedule of the campaign cannot be followed."""


class NoStepsError(InvalidPlanError):
	"""The campaign has no steps."""


class DuplicateStepError(InvalidPlanError):
	"""Two steps have the same id."""


class DuplicateLabelError(InvalidPlanError):
	"""Two steps have the same label."""


class InvalidFlowError(InvalidPlanError):
	"""The flow of the campaign cannot be followed."""


class UnknownLabelError(InvalidFlowError):
	"""A step names another one that is not there."""


class LoopSendsError(InvalidFlowError):
	"""This step stands in a loop. It is carried out once for each enrollment: only waits and ends can stand in one."""


class LoopWithoutWaitError(InvalidFlowError):
	"""This step stands in a loop that takes no time. Give one of its steps a day or an hour."""


class InvalidDelayError(InvalidPlanError):
	"""The days and hours of a step must not be negative, and no step may come later than 100 years on."""


class InvalidWindowError(InvalidPlanError):
	"""The sending window must open before it closes."""


class InvalidWeekdaysError(InvalidPlanError):
	"""At least one weekday, of Monday to Sunday, must be allowed."""


class InvalidDatesError(InvalidPlanError):
	"""The end date of the campaign lies before its start date."""


class InvalidPeriodError(InvalidPlanError):
	"""The grace and the days before starting over must not be negative."""


class NoAllowedMomentError(InvalidPlanError):
	"""Weekdays, window and holidays leave no moment for sending within two years."""


class BrokenRuleError(InvalidPlanError):
	"""A rule by which people leave the campaign cannot be asked."""


class UnknownTimeZoneError(InvalidPlanError):
	"""There is no such time zone."""


class NaiveMomentError(DripError):
	"""A moment must know its time zone."""


class UnknownStepError(DripError):
	"""The campaign has no such step."""


class InvalidTransitionError(DripError):
	"""This cannot happen to an enrollment in this status."""


class InvalidScenarioError(DripError):
	"""The simulation file is not as described in docs/guide/schedule.md."""
