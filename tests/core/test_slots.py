"""When sending is allowed, and the next such moment."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from drip_campaigns.core.errors import NoAllowedMomentError
from drip_campaigns.core.schedule.send_window import next_allowed
from tests.core.builders import BERLIN, WORKDAYS, at, day, make_plan, on_days

OFFICE_HOURS = (time(9), time(17))


@pytest.mark.parametrize(
	("moment", "expected"),
	[
		("2026-05-08 12:00", "2026-05-08 12:00"),  # a Friday
		("2026-05-08 08:59:59", "2026-05-08 09:00"),
		("2026-05-08 09:00", "2026-05-08 09:00"),
		("2026-05-08 16:59:59", "2026-05-08 16:59:59"),
		("2026-05-08 17:00", "2026-05-11 09:00"),  # the closing time is not part of the window
		("2026-05-09 12:00", "2026-05-11 09:00"),
		("2026-12-24 18:00", "2026-12-28 09:00"),
	],
)
def test_a_moment_moves_to_the_next_one_in_the_window_of_an_allowed_day(moment, expected):
	plan = make_plan(
		*on_days(a=0), weekdays=WORKDAYS, window=OFFICE_HOURS, holidays=frozenset({day("2026-12-25")})
	)

	allowed = next_allowed(plan, ZoneInfo(BERLIN), at(moment))

	assert allowed == at(expected)


def test_without_a_window_the_next_allowed_day_begins_at_midnight():
	plan = make_plan(*on_days(a=0), weekdays=WORKDAYS)

	allowed = next_allowed(plan, ZoneInfo(BERLIN), at("2026-05-09 12:00"))

	assert allowed == at("2026-05-11 00:00")


def test_nothing_is_allowed_before_the_start_date():
	plan = make_plan(*on_days(a=0), start_date=day("2031-05-10"))

	allowed = next_allowed(plan, ZoneInfo(BERLIN), at("2026-05-09 12:00"))

	assert allowed == at("2031-05-10 00:00")


def test_a_window_until_midnight_lasts_to_the_end_of_the_day():
	plan = make_plan(*on_days(a=0), window=(time(18), time(0)))

	allowed = next_allowed(plan, ZoneInfo(BERLIN), at("2026-05-09 23:59:59"))

	assert allowed == at("2026-05-09 23:59:59")


@pytest.mark.parametrize(
	("zone", "window", "moment", "expected"),
	[
		# The window opens within the hour that is left out: it opens with the first moment after it.
		("Europe/Berlin", (time(2, 30), time(17)), "2026-03-29T00:00:00+00:00", "2026-03-29T01:00:00+00:00"),
		# The whole window is left out: there is none on that day.
		("Europe/Berlin", (time(2), time(3)), "2026-03-29T00:00:00+00:00", "2026-03-30T00:00:00+00:00"),
		# The hour from two to three comes twice, and the second pass belongs to the window as well.
		("Europe/Berlin", (time(1), time(2, 30)), "2026-10-25T00:45:00+00:00", "2026-10-25T01:00:00+00:00"),
		("Europe/Berlin", (time(2, 30), time(17)), "2026-10-25T01:10:00+00:00", "2026-10-25T01:30:00+00:00"),
		(
			"America/New_York",
			(time(1, 30), time(9)),
			"2026-11-01T06:10:00+00:00",
			"2026-11-01T06:30:00+00:00",
		),
		(
			"Australia/Lord_Howe",
			(time(2, 15), time(9)),
			"2026-10-03T15:00:00+00:00",
			"2026-10-03T15:30:00+00:00",
		),
		# 30 December 2011 was left out in Apia.
		("Pacific/Apia", (time(9), time(17)), "2011-12-30T04:00:00+00:00", "2011-12-30T19:00:00+00:00"),
		# Midnight itself was left out in Cairo.
		("Africa/Cairo", (time(0), time(9)), "2026-04-23T21:59:00+00:00", "2026-04-23T22:00:00+00:00"),
	],
)
def test_windows_around_clock_changes(zone, window, moment, expected):
	plan = make_plan(*on_days(a=0), timezone=zone, window=window)

	allowed = next_allowed(plan, ZoneInfo(zone), datetime.fromisoformat(moment))

	assert allowed.isoformat() == expected


def test_a_day_that_was_left_out_is_not_an_allowed_day():
	plan = make_plan(
		*on_days(a=0), timezone="Pacific/Apia", weekdays=frozenset({4})
	)  # 30 December was a Friday

	allowed = next_allowed(plan, ZoneInfo("Pacific/Apia"), at("2011-12-29 12:00", "Pacific/Apia"))

	assert allowed == at("2012-01-06 00:00", "Pacific/Apia")


def test_two_years_of_holidays_are_an_error_that_says_so():
	holidays = frozenset(day("2026-01-01") + timedelta(days=number) for number in range(1000))
	plan = make_plan(*on_days(a=0), holidays=holidays)

	with pytest.raises(NoAllowedMomentError, match="allow no moment for sending within two years") as caught:
		next_allowed(plan, ZoneInfo(BERLIN), at("2026-01-01 10:00"))

	assert caught.value.field == "weekdays"
