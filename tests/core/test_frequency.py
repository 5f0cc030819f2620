"""How often one address may be written to: when there is room again, on the recipient's calendar."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest

from drip_campaigns.core.schedule.frequency_caps import Cap, find_caps, free_from
from drip_campaigns.core.schedule.send_window import next_allowed
from tests.core.builders import BERLIN, at, make_plan, on_days

ZONE = ZoneInfo(BERLIN)


@pytest.mark.parametrize(
	("count", "days", "one_per_day", "caps"),
	[
		(0, 0, False, ()),
		(0, 7, False, ()),  # 0 emails is no cap, and not "nothing at all"
		(3, 7, False, (Cap(3, 7),)),
		(2, 0, False, (Cap(2, 1),)),
		(0, 0, True, (Cap(1, 1),)),
		(1, 1, True, (Cap(1, 1),)),
		(3, 7, True, (Cap(3, 7), Cap(1, 1))),
	],
)
def test_settings_mean_these_caps(count, days, one_per_day, caps):
	assert find_caps(count, days, one_per_day=one_per_day) == caps


@pytest.mark.parametrize(
	("caps", "sent", "free"),
	[
		([Cap(1, 1)], [], "2026-03-10 09:05"),
		([Cap(1, 1)], ["2026-03-09 23:59"], "2026-03-10 09:05"),
		([Cap(1, 1)], ["2026-03-10 00:00"], "2026-03-11 09:00"),  # the time of the plan, on the next day
		([Cap(2, 7)], ["2026-03-04 10:00", "2026-03-09 10:00"], "2026-03-11 09:00"),
		([Cap(2, 7)], ["2026-03-03 10:00", "2026-03-09 10:00"], "2026-03-10 09:05"),
		([Cap(2, 7)], ["2026-03-05 10:00", "2026-03-08 10:00", "2026-03-09 10:00"], "2026-03-15 09:00"),
		([Cap(3, 7), Cap(1, 1)], ["2026-03-10 08:00"], "2026-03-11 09:00"),
		([Cap(1, 30)], ["2026-03-01 12:00"], "2026-03-31 09:00"),  # across a clock change: 9 stays 9
	],
)
def test_what_is_held_back_waits_for_the_first_day_with_room_and_keeps_its_time(caps, sent, free):
	moment = free_from(caps, [at(one) for one in sent], ZONE, at("2026-03-10 09:00"), at("2026-03-10 09:05"))

	assert moment == at(free)


@pytest.mark.parametrize(
	("moment", "expected"),
	[
		("2026-05-08 21:59", "2026-05-08 21:59"),
		("2026-05-08 22:00", "2026-05-09 07:00"),
		("2026-05-09 03:00", "2026-05-09 07:00"),
		("2026-03-29 02:00", "2026-03-29 07:00"),  # an hour of this night is missing
		("2026-05-08 12:00", "2026-05-08 12:00"),
	],
)
def test_quiet_hours_over_midnight_move_a_moment_to_their_end(moment, expected):
	plan = make_plan(*on_days(a=0), quiet=(time(22), time(7)))

	assert next_allowed(plan, ZONE, at(moment)) == at(expected)


def test_quiet_hours_cut_a_window_in_two():
	plan = make_plan(*on_days(a=0), quiet=(time(12), time(13)), window=(time(11), time(14)))

	moments = [next_allowed(plan, ZONE, at("2026-05-08 10:00") + timedelta(hours=n)) for n in range(5)]

	assert [f"{moment.astimezone(ZONE):%d %H}" for moment in moments] == [
		"08 11", "08 11", "08 13", "08 13", "09 11",
	]  # fmt: skip
