"""What a wait kind is in the core: the base class of the files in `wait_kinds/`, and what a wait knows of its enrollment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from drip_campaigns.core.flow.condition_test import ConditionData, Test
from drip_campaigns.core.json_fields import Fields
from drip_campaigns.core.label import Label

CHECK_AGAIN = timedelta(days=1)  # the event that ends a wait can be lost, and a check is cheap


class WaitFor(Label):
	"""What a step can wait for."""

	OPENED = "Opened"
	CLICKED = "Clicked"
	REPLIED = "Replied"
	FIELD_VALUE = "Field Value"
	DATE_FIELD = "Date Field"
	CLOCK_TIME = "Clock Time"


class OnTimeout(Label):
	"""What happens to an enrollment whose wait reaches its limit."""

	CONTINUE = "Continue"
	GO_TO_STEP = "Go To Step"
	EXIT = "Exit"


@dataclass(frozen=True)
class Waiting:
	"""An enrollment that waits: what is known of it, its start, the moments when the wait began and is checked."""

	data: ConditionData
	start: datetime
	reached: datetime  # when the enrollment reached the step
	began: datetime  # when the step was due
	zone: ZoneInfo
	now: datetime


@dataclass(frozen=True, kw_only=True)
class Awaited:
	"""What a step waits for, how long at most, and what happens after that. A subclass per file in `wait_kinds/`."""

	kinds: ClassVar[tuple[str, ...]]  # the options that it is for
	needed: ClassVar[tuple[str, ...]] = ()  # fields of the step that must be filled
	field_types: ClassVar[tuple[str, ...]] = ()  # types that `wait_field` may have; empty: every type
	counts_late: ClassVar[bool] = (
		False  # ends the wait also when it happens after the limit, before anybody checked
	)

	limit_hours: int = 0  # 0: no limit
	on_timeout: OnTimeout = OnTimeout.CONTINUE
	on_timeout_step: str = ""

	@classmethod
	def fields_of(cls, kind: str) -> tuple[str, ...]:
		"""Return the fields of the step that mean something for a kind."""
		return cls.needed

	@classmethod
	def take(cls, fields: Fields, kind: str, **limit: Any) -> Awaited:
		"""Take what is waited for from the fields of a step; raise an error with the path of a wrong field.

		`limit` are the values of the base class.
		"""
		raise NotImplementedError

	@property
	def tests(self) -> tuple[Test, ...]:
		"""The tests that it asks, of which the data must be loaded."""
		return ()

	@property
	def times_of_day(self) -> tuple[time, ...]:
		"""The times of day that decide when the wait ends."""
		return ()

	def look(self, waiting: Waiting) -> tuple[datetime | None, datetime]:
		"""Return when the wait ended, or None, and when to check it again."""
		raise NotImplementedError

	def find_end(self, began: datetime, zone: ZoneInfo) -> datetime | None:
		"""Return when a wait that began at a moment ends, if nothing but the clock decides; otherwise None."""
		return None


def end_at(moment: datetime | None, waiting: Waiting) -> tuple[datetime | None, datetime]:
	"""Return what `look` returns for a wait that ends at `moment`; None if that is not known yet."""
	again = waiting.now + CHECK_AGAIN
	if moment is None:
		return None, again
	return (max(moment, waiting.began) if moment <= waiting.now else None), min(moment, again)
