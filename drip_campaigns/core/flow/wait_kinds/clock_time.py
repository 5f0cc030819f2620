"""Wait until a time of day on the recipient's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from drip_campaigns.core.flow.wait_kind import Awaited, WaitFor, Waiting, end_at
from drip_campaigns.core.json_fields import Fields, fail
from drip_campaigns.core.schedule.wall_clock import next_time_of_day


@dataclass(frozen=True)
class ClockWait(Awaited):
	"""Ends the next time that the clock shows the time."""

	kinds = (WaitFor.CLOCK_TIME,)
	needed = ("wait_time",)
	clock: time

	@classmethod
	def take(cls, fields: Fields, kind: str, **limit: Any) -> ClockWait:
		return cls(fields.take("wait_time", _read_time), **limit)

	@property
	def times_of_day(self) -> tuple[time, ...]:
		return (self.clock,)

	def look(self, waiting: Waiting) -> tuple[datetime | None, datetime]:
		return end_at(self.find_end(waiting.began, waiting.zone), waiting)

	def find_end(self, began: datetime, zone: ZoneInfo) -> datetime | None:
		return next_time_of_day(began, self.clock, zone)


def _read_time(value: Any, path: str) -> time:
	try:
		return time.fromisoformat(value)
	except (ValueError, TypeError):
		fail(path, "must be a time of day such as 09:00")
