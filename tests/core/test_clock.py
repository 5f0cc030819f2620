"""Between instants and the wall: what a stored wall time means, and that it is never earlier than meant."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.core.errors import NaiveMomentError, UnknownTimeZoneError
from drip_campaigns.core.schedule.wall_clock import find_zone, from_wall, to_utc, to_wall, to_wall_not_early
from tests.core.builders import at
from tests.core.strategies import ZONES, moments

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")

moments_anywhere = st.sampled_from(ZONES).flatmap(
	lambda zone: st.tuples(moments(zone), st.just(ZoneInfo(zone)))
)


@pytest.mark.parametrize(
	("zone", "moment", "wall"),
	[
		(BERLIN, "2026-10-25T00:30:00+00:00", "2026-10-25 02:30"),  # the first pass
		(BERLIN, "2026-10-25T01:00:00+00:00", "2026-10-25 03:00"),  # the second one
		(BERLIN, "2026-10-25T01:30:00+00:00", "2026-10-25 03:00"),
		(BERLIN, "2026-10-25T02:00:00+00:00", "2026-10-25 03:00"),
		(LORD_HOWE, "2026-04-04T15:15:00+00:00", "2026-04-05 02:00"),  # half an hour is repeated here
	],
)
def test_a_moment_in_the_second_pass_is_stored_as_the_end_of_the_repeated_hour(zone, moment, wall):
	stored = to_wall_not_early(datetime.fromisoformat(moment), zone)

	assert stored == datetime.fromisoformat(wall)


@given(moment=moments_anywhere, gap=st.integers(0, 120))
def test_a_stored_moment_is_never_early_at_most_an_hour_late_and_in_order(moment, gap):
	moment, zone = moment
	later = moment + timedelta(minutes=gap)

	stored, stored_later = to_wall_not_early(moment, zone), to_wall_not_early(later, zone)

	assert moment <= from_wall(stored, zone) <= moment + timedelta(hours=1)
	assert stored <= stored_later


def test_a_missing_wall_time_is_read_with_the_offset_before_the_change():
	instant = from_wall(datetime.fromisoformat("2026-03-29 02:30"), BERLIN)

	assert to_wall(instant, BERLIN) == datetime.fromisoformat("2026-03-29 03:30")


@pytest.mark.parametrize("name", ["Nowhere/Atlantis", "", "../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone_is_an_error_that_names_it(name):
	with pytest.raises(UnknownTimeZoneError) as caught:
		find_zone(name)

	assert repr(name) in str(caught.value)


def test_a_moment_without_offset_is_refused():
	with pytest.raises(NaiveMomentError, match="2026-05-04T10:00:00"):
		to_utc(at("2026-05-04 10:00").replace(tzinfo=None) + timedelta(hours=2))
