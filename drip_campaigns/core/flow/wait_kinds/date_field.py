"""Wait until a date in the recipient's record, or some days before or after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from drip_campaigns.core.flow.wait_kind import Awaited, WaitFor, Waiting, end_at
from drip_campaigns.core.json_fields import LARGEST_COUNT, Fields, fail, read_text
from drip_campaigns.core.schedule.wall_clock import from_wall, start_of_day, to_wall


@dataclass(frozen=True)
class DateWait(Awaited):
	"""Ends when the day begins, or at the moment in the field."""

	kinds = (WaitFor.DATE_FIELD,)
	needed = ("wait_field",)
	field_types = ("Date", "Datetime")
	date_field: str
	days: int = 0  # after the date; negative: before it

	@classmethod
	def fields_of(cls, kind: str) -> tuple[str, ...]:
		return (*cls.needed, "wait_days")

	@classmethod
	def take(cls, fields: Fields, kind: str, **limit: Any) -> DateWait:
		return cls(fields.take("wait_field", read_text), fields.take("wait_days", _read_days, 0), **limit)

	def look(self, waiting: Waiting) -> tuple[datetime | None, datetime]:
		return end_at(_moment_of(waiting.data.day_of(self.date_field), self.days, waiting.zone), waiting)


def _moment_of(value: Any, days: int, zone: ZoneInfo) -> datetime | None:
	"""Return the moment `days` days after a date's first minute, or after a moment, on the clock of `zone`."""
	if isinstance(value, str) and value:
		value = datetime.fromisoformat(value) if len(value) > len("2026-01-01") else date.fromisoformat(value)
	if isinstance(value, datetime):
		wall = to_wall(value, zone) if value.tzinfo else value
		return from_wall(wall + timedelta(days=days), zone)
	return start_of_day(value + timedelta(days=days), zone) if isinstance(value, date) else None


def _read_days(value: Any, path: str) -> int:
	if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_COUNT:
		fail(path, "must be a whole number; a negative one is before the date")
	return value
