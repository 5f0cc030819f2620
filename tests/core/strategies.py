"""What the property tests draw from: zones, moments near clock changes, plans and lives of enrollments."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from hypothesis import strategies as st

from drip_campaigns.core.model import ALL_WEEKDAYS, CountedFrom, IfLate, Plan, Step
from tests.core.builders import at

# The first days of stretches that hold clock changes, a left-out day, a leap day or the end of a year.
SEASONS = {
	"America/New_York": ("2026-03-05", "2026-10-29", "2028-02-26"),
	"Europe/Berlin": ("2026-03-26", "2026-10-22", "2026-12-28"),
	"Australia/Lord_Howe": ("2026-04-02", "2026-10-01"),
	"Asia/Kolkata": ("2026-03-26", "2027-12-29"),
	"Pacific/Apia": ("2011-12-27", "2012-03-29"),
}
ZONES = tuple(SEASONS)
GRID = timedelta(minutes=30)  # offsets, windows and starts lie on it, so that a reference can walk along it
SEASON_DAYS = 6


@st.composite
def moments(draw: st.DrawFn, zone: str, season: str | None = None) -> datetime:
	"""Draw a moment on the grid within the season, or within one of the zone's seasons."""
	first = at(season or draw(st.sampled_from(SEASONS[zone])), zone)
	return first + GRID * draw(st.integers(0, SEASON_DAYS * 48))


@st.composite
def campaigns(draw: st.DrawFn, zone: str | None = None) -> tuple[Plan, datetime]:
	"""Draw a plan and the start of an enrollment in the same season of a zone."""
	zone = zone or draw(st.sampled_from(ZONES))
	season = draw(st.sampled_from(SEASONS[zone]))
	return draw(plans(zone, date.fromisoformat(season))), draw(moments(zone, season))


@st.composite
def steps(draw: st.DrawFn, most: int = 5, prefix: str = "s") -> tuple[Step, ...]:
	"""Draw a schedule of a few days."""
	return tuple(
		Step(
			id=f"{prefix}{number}",
			send_after_days=draw(st.integers(0, 3)),
			send_after_hours=draw(st.sampled_from((0, 0, 0, 1, 5, 23))),
			counted_from=draw(st.sampled_from(CountedFrom)),
			enabled=draw(st.integers(0, 5)) > 0,
		)
		for number in range(draw(st.integers(1, most)))
	)


@st.composite
def windows(draw: st.DrawFn) -> tuple[time, time] | None:
	"""Draw a window on the grid, often in the hours in which clocks change, or none."""
	if draw(st.booleans()):
		return None
	opening = draw(st.one_of(st.integers(2, 6), st.integers(0, 46)))
	closing = draw(st.integers(opening + 1, 48))
	return time(opening // 2, opening % 2 * 30), time(closing // 2 % 24, closing % 2 * 30)


@st.composite
def plans(draw: st.DrawFn, zone: str, first_day: date) -> Plan:
	"""Draw a plan whose restrictions matter in the days from `first_day` on."""
	return Plan(
		steps=draw(steps()),
		timezone=zone,
		if_late=draw(st.sampled_from(IfLate)),
		grace=timedelta(hours=draw(st.sampled_from((0, 3, 24, 72)))),
		start_date=draw(st.sampled_from((None, None, first_day + timedelta(days=2)))),
		end_date=draw(st.sampled_from((None, None, None, first_day + timedelta(days=5)))),
		weekdays=draw(st.sampled_from((ALL_WEEKDAYS, frozenset(range(5)), frozenset({1, 5, 6})))),
		window=draw(windows()),
		holidays=draw(st.frozensets(st.integers(0, 6), max_size=2).map(_days_after(first_day))),
	)


def _days_after(first_day: date):
	return lambda numbers: frozenset(first_day + timedelta(days=number) for number in numbers)
