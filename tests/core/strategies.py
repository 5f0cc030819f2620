"""What the property tests draw from: zones, moments near clock changes, plans and lives of enrollments."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import product

from hypothesis import strategies as st

from drip_campaigns.core.model import ALL_WEEKDAYS, CountedFrom, IfLate, Plan, Step
from drip_campaigns.core.schedule.send_window import is_allowed
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

# Each of these is one draw: drawing is what the property tests spend most of their time on.
STEP_SHAPES = tuple(product(range(4), (0, 0, 0, 1, 5, 23), CountedFrom, (True, True, True, False)))
OPENINGS = (
	*(time(number // 2, number % 2 * 30) for number in range(2, 8)),
	time(0),
	time(9),
	time(20, 30),
	time(23, 30),
)
CLOSINGS = (time(2), time(2, 30), time(3), time(4), time(9, 30), time(17), time(0))
WINDOWS = (
	*(
		(opening, closing)
		for opening in OPENINGS
		for closing in CLOSINGS
		if opening < closing or time(0) == closing != opening
	),
	*[None] * 30,
)


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


def steps(most: int = 5) -> st.SearchStrategy[tuple[Step, ...]]:
	"""Draw a schedule of a few days."""
	shapes = st.lists(st.sampled_from(STEP_SHAPES), min_size=1, max_size=most)
	return shapes.map(lambda drawn: tuple(Step(f"s{number}", *shape) for number, shape in enumerate(drawn)))


QUIET_HOURS = (None, None, (time(22), time(7)), (time(12), time(13, 30)))


def _leave_room(window: tuple[time, time] | None, quiet: tuple[time, time] | None) -> bool:
	"""Say whether some half hour of a day is in the window and not quiet."""
	plan = Plan((), "UTC", window=window, quiet=quiet)
	midnight = datetime(2026, 5, 4)  # noqa: DTZ001 - a time on the wall
	return any(is_allowed(plan, midnight + GRID * number) for number in range(48))


OPEN_HOURS = [pair for pair in product(WINDOWS, QUIET_HOURS) if _leave_room(*pair)]


@st.composite
def plans(draw: st.DrawFn, zone: str, first_day: date) -> Plan:
	"""Draw a plan whose restrictions matter in the days from `first_day` on."""
	window, quiet = draw(st.sampled_from(OPEN_HOURS))
	return Plan(
		steps=draw(steps()),
		timezone=zone,
		if_late=draw(st.sampled_from(IfLate)),
		grace=timedelta(hours=draw(st.sampled_from((0, 3, 24, 72)))),
		start_date=draw(st.sampled_from((None, None, first_day + timedelta(days=2)))),
		end_date=draw(st.sampled_from((None, None, None, first_day + timedelta(days=5)))),
		weekdays=draw(st.sampled_from((ALL_WEEKDAYS, frozenset(range(5)), frozenset({1, 5, 6})))),
		window=window,
		quiet=quiet,
		holidays=draw(st.frozensets(st.integers(0, 6), max_size=2).map(_days_after(first_day))),
	)


def _days_after(first_day: date):
	return lambda numbers: frozenset(first_day + timedelta(days=number) for number in numbers)
