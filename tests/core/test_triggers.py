"""The days on which a date comes round, tags, and circles of campaigns."""

from datetime import date, datetime, timezone

import pytest

from drip_campaigns.core.flow.triggers import Repeat, dates_that_count, days_begun, find_loop, is_tag


def utc(*parts: int) -> datetime:
	return datetime(*parts, tzinfo=timezone.utc)


@pytest.mark.parametrize(
	("checked", "now", "zone", "expected"),
	[
		(None, utc(2026, 3, 2, 9), "UTC", ["2026-03-02"]),
		(utc(2026, 3, 2, 9), utc(2026, 3, 2, 9, 5), "UTC", []),
		(utc(2026, 3, 2, 23, 58), utc(2026, 3, 3, 0, 3), "UTC", ["2026-03-03"]),
		(utc(2026, 3, 2, 9), utc(2026, 3, 5, 9), "UTC", ["2026-03-03", "2026-03-04", "2026-03-05"]),
		(utc(2026, 3, 2, 9, 58), utc(2026, 3, 2, 10, 3), "Pacific/Kiritimati", ["2026-03-03"]),
		(utc(2026, 3, 2, 23, 58), utc(2026, 3, 3, 0, 3), "America/New_York", []),
		(utc(2026, 3, 2, 23, 58), utc(2026, 3, 3, 0, 3), "Mars/Olympus", ["2026-03-03"]),
	],
)
def test_days_begin_by_the_calendar_of_the_zone_and_none_is_missed(checked, now, zone, expected):
	assert [day.isoformat() for day in days_begun(checked, now, zone, "UTC")] == expected


def test_after_a_long_sleep_only_the_last_month_is_caught_up():
	days = days_begun(utc(2026, 1, 1), utc(2026, 6, 30, 12), "UTC", "UTC")

	assert (days[0], days[-1], len(days)) == (date(2026, 5, 31), date(2026, 6, 30), 31)


@pytest.mark.parametrize(
	("day", "offset", "born", "counts"),
	[
		("2026-06-15", 0, "1990-06-15", True),
		("2026-06-15", 0, "1990-06-16", False),
		("2026-06-08", -7, "1990-06-15", True),
		("2026-06-22", 7, "1990-06-15", True),
		("2026-12-31", -1, "1990-01-01", True),
		("2026-02-28", 0, "1992-02-29", True),
		("2028-02-28", 0, "1992-02-29", False),
		("2028-02-29", 0, "1992-02-29", True),
		("2028-02-28", 0, "1990-02-28", True),
		("2026-06-15", 0, "2030-06-15", False),
	],
)
def test_birthday_comes_each_year_and_never_before_the_first(day, offset, born, counts):
	dates = dates_that_count(date.fromisoformat(day), offset, Repeat.EACH_YEAR)

	assert (date.fromisoformat(born) in dates) is counts
	assert len(dates) == len(set(dates))


def test_date_that_counts_once_is_one_day():
	assert dates_that_count(date(2026, 3, 1), -14, Repeat.ONCE) == [date(2026, 3, 15)]


@pytest.mark.parametrize(
	("wanted", "tag", "expected"),
	[
		("Hot", "hot", True),
		("", "any", True),
		(None, "any", True),
		("Hot", "Hotel", False),
		("ÄRA", "ära", True),
	],
)
def test_tags_are_compared_without_case(wanted, tag, expected):
	assert is_tag(wanted, tag) is expected


@pytest.mark.parametrize(
	("starters", "circle"),
	[
		({"A": ["B"], "B": ["C"]}, None),
		({"A": ["A"]}, ["A", "A"]),
		({"A": ["B"], "B": ["C"], "C": ["A"]}, ["A", "B", "C", "A"]),
		({"A": ["B"], "B": ["C"], "C": ["B"]}, None),
	],
)
def test_way_back_to_a_campaign_is_named(starters, circle):
	assert find_loop(starters, "A") == circle
